"""The example of an extension that adds a patch: installed, it has psycopg2 wait through gevent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Environment

pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.timeout(300)]

CALLBACK = "from psycopg2.extensions import get_wait_callback as get; print(getattr(get(), '__module__', None))"


def test_psycopg2_waits_through_gevent(environment: Environment, build_wheel: Callable[[Path], Path]) -> None:
    environment.install("pools-gevent", "pools-threads", f"{build_wheel(ROOT / 'examples' / 'psycogreen')}[binary]")
    shown = json.loads(environment.pools("info", "gevent", "--json"))["patches"]
    assert [(patch["name"], patch["added_by"]) for patch in shown] == [
        ("gevent", None),
        ("psycogreen", "extension psycogreen of pools-psycogreen 0.1.0"),
    ]
    assert environment.pools("exec", "-P", "gevent", "-c", CALLBACK) == "psycogreen.gevent\n"
    assert environment.pools("exec", "-P", "threads", "-c", CALLBACK) == "None\n"
    program = "import pools; pools.patch('gevent'); pools.open('gevent').stop(); " + CALLBACK
    assert environment.python("-c", program) == "psycogreen.gevent\n"
    forgotten = "from gevent import monkey; monkey.patch_all()\nimport pools\ntry: pools.open('gevent')\n"
    forgotten += "except pools.errors.PatchError as error: print(error)"
    assert environment.python("-c", forgotten).startswith("pool gevent needs the patch psycogreen, and it was not appl")
