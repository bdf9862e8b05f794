"""``pools doctor`` as a process of its own, and its report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

POOLS = ("gevent", "eventlet")

#: The line by which a program patches itself.
PATCH = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import warnings; warnings.simplefilter('ignore'); import eventlet; eventlet.monkey_patch()",
}


def run_doctor(
    folder: Path,
    pool: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    python: str | Path = sys.executable,
) -> subprocess.CompletedProcess[str]:
    """Run ``pools doctor -P POOL`` in a folder."""
    pytest_free = {name: value for name, value in os.environ.items() if not name.startswith(("POOLS_", "PYTEST_"))}
    return subprocess.run(
        [python, "-m", "pools", "doctor", "-P", pool, *arguments],
        cwd=folder,
        env={**pytest_free, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100.0,
        check=False,
    )


def examine(folder: Path, pool: str, *arguments: str, python: str | Path = sys.executable) -> dict[str, Any]:
    """Run it and return its report, with code 1 exactly if there are findings."""
    done = run_doctor(folder, pool, "--json", *arguments, python=python)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == bool(report["stale"]), done.stderr
    return report


def write(folder: Path, sources: Mapping[str, str]) -> None:
    """Write files into a folder."""
    for name, source in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
