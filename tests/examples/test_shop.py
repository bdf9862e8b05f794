"""The shop does what it says, with no server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_every_order_becomes_what_it_should() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "examples.shop"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=root, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exit code 0" in done.stdout
