"""Programs that tests run in processes of their own: hosts that die, that have threads, that are what a test needs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

#: In which a program may import the tests' helpers.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{Path(__file__).parents[2]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
}


def run(path: Path, code: str, *arguments: str) -> str:
    """Run a program that must end well and say nothing on standard error; returns what it printed.

    Args:
        path: A folder for it, as what children are told by name must be in a file.
        code: Its source.
        arguments: Its arguments.
    """
    program = path / "program.py"
    program.write_text(textwrap.dedent(code))
    command = [sys.executable, "-W", "error", str(program), *arguments]
    done = subprocess.run(command, text=True, capture_output=True, env=ENVIRONMENT, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
