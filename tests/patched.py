"""Programs that run in a process of their own, with a pool's patches applied before their first line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run_patched(pool: str, *program: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a program as ``pools exec`` does, from the root of the checkout, and return how it ended.

    Args:
        pool: The pool whose patches come first.
        program: What follows ``pools exec -P POOL``: a script, ``-m MODULE`` or ``-c CODE``, and its arguments.
        timeout: Seconds after which the program is killed, and the test fails with what it printed until then.
    """
    command = [sys.executable, "-m", "pools", "exec", "-P", pool, *program]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("POOLS_", "PYTEST_"))}
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout
        pytest.fail(f"{' '.join(command)}: still running after {timeout} s\n{printed}", pytrace=False)


def check_patched(pool: str, *program: str, timeout: float = 60.0) -> str:
    """The same, for a program that must exit with code 0; returns what it printed, standard error included."""
    done = run_patched(pool, *program, timeout=timeout)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(done.args)}: exit code {done.returncode}\n{done.stdout}", pytrace=False)
    return done.stdout


def check_tests(pool: str, *arguments: str, timeout: float = 60.0) -> None:
    """Run pytest with these arguments in a process of its own, patched for a pool; what fails is shown."""
    check_patched(
        pool,
        *("-m", "pytest", *arguments, "--color=no", "--tb=short", "-p", "no:cacheprovider"),
        # pytest-timeout's own thread would be a greenlet here, which a job that holds the hub never lets run.
        *("-o", "timeout=0", "-o", "faulthandler_timeout=60"),
        timeout=timeout,
    )
