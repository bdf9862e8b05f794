"""Pools of strangers keep the contract, by the same kit as ours."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "pool",
    ["tests.strangers.shapes:GpuQueue", "tests.strangers.shapes:Commands", "tests.strangers.sessions:Sessions"],
)
def test_a_pool_of_a_stranger_keeps_the_contract(pool: str) -> None:
    if find_spec("pools.testing") is None:
        pytest.skip("this core is without its conformance kit, pools.testing")
    done = subprocess.run(
        [sys.executable, "-m", "pools", "check", pool, "--quick", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(done.stdout)["points"]) == 15
