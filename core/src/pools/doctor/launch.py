"""Starts the process of the doctor, with imports recorded from before its first line, and waits for its report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pools.doctor.order import Order, read_report
from pools.errors import PoolsError
from pools.spec import PatchRequirement

#: Seconds that a program is given after its end, where it may wait for its own threads, or after the use of what hangs
#: under the patch; then it is ended.
PATIENCE = 10.0

_EARLY = Path(__file__).with_name("early")


def examine(
    pool: str,
    patches: Sequence[PatchRequirement],
    modules: Sequence[str],
    program: Sequence[str],
    *,
    apart: bool,
) -> dict[str, Any]:
    """Examine a program in a process of its own and return its report.

    Args:
        pool: The name of the pool.
        patches: What it needs patched.
        modules: The modules to import after the patches, where there is no program.
        program: The program and its arguments.
        apart: What it prints on standard output goes to standard error.

    Raises:
        PoolsError: The process left no report.
    """
    with tempfile.NamedTemporaryFile(prefix="pools-doctor-", suffix=".json") as report:
        order = Order(pool, tuple(patches), tuple(modules), tuple(program), report.name)
        process = subprocess.Popen(_command(order), env=_environment(), stdout=sys.stderr if apart else None)
        code = _wait(process, report.name)
        found = read_report(report.name)
    if code == 2 and (found is None or found["stage"] != "end"):
        sys.exit(2)  # it has said why
    if found is None:
        raise PoolsError(f"the program ended with exit code {code} before anything could be examined")
    return {**found, "exit_code": code if found["exit_code"] is None else found["exit_code"]}


def _command(order: Order) -> list[str]:
    """Return the command line of the process, with the interpreter's options of this one."""
    given = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv[1:])]
    if given[-2:] == ["-m", "pools"]:
        given = given[:-2]
    elif given and not given[-1].startswith("-"):
        given = given[:-1]  # the script of the command
    # As it is frozen into the interpreter, `site` would not be looked for on the path.
    return [sys.executable, *given, "-X", "frozen_modules=off", "-m", "pools.doctor", order.dump()]


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    if "PYTHONPATH" in environment:
        environment["POOLS_DOCTOR_PYTHONPATH"] = environment["PYTHONPATH"]
    path = filter(None, [str(_EARLY), environment.get("PYTHONPATH", "")])
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def _wait(process: subprocess.Popen[bytes], report: str) -> int:
    """Wait for the process, which gets the signals that it is to end by; return its exit code."""
    before = signal.signal(signal.SIGTERM, lambda number, _frame: process.send_signal(number))
    patience = PATIENCE
    try:
        while True:
            try:
                return process.wait(timeout=0.2)
            except KeyboardInterrupt:
                continue  # the process has it too
            except subprocess.TimeoutExpired:
                found = read_report(report)
                patience = patience - 0.2 if found is not None and found["stage"] in ("end", "use") else PATIENCE
                if patience <= 0:
                    for descendant in [*_descendants(process.pid), process.pid]:
                        os.kill(descendant, signal.SIGKILL)
    finally:
        signal.signal(signal.SIGTERM, before)


def _descendants(process: int) -> list[int]:
    """Return the processes that a process has started, and they in turn, as far as they live."""
    children = [
        int(child) for file in Path(f"/proc/{process}/task").glob("*/children") for child in file.read_text().split()
    ]
    return [found for child in children for found in (*_descendants(child), child)]
