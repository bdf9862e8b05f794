"""Starting a nursery: by a fork of the host where that is safe, else in a fresh interpreter."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
import warnings
from pathlib import Path

from billiard import get_context, popen_fork
from billiard.reduction import ForkingPickler

from pools import parking
from pools.errors import UsageError
from pools_prefork import nursery
from pools_prefork.launch import Launch, main_module, preparation
from pools_prefork.nursery import SpawnedUpbringing, Upbringing

START_METHODS = ("fork", "forkserver", "spawn")


def start_nursery(
    start_method: str | None, upbringing: Upbringing, control: socket.socket, lifeline: int
) -> tuple[str, int]:
    """Start a process that is the nursery.

    Args:
        start_method: One of :data:`START_METHODS`, or None for what is safe.
        upbringing: How children come into being.
        control: The nursery's end of the control socket; the caller is to close it.
        lifeline: The read end of the host's lifeline.

    Returns:
        The start method in use, and the process id.

    Raises:
        UsageError: What the children are to be given cannot be pickled, and has to be.
    """
    if start_method in (None, "fork"):
        # What became garbage lately is not copied; to find all of it, a big host would stand still for seconds.
        gc.collect(1)
        with parking.parked() as parked:
            alone = _is_alone(parked)
            if start_method or alone:
                return "fork", _fork(upbringing, control, lifeline, quiet=alone)
    return start_method or "forkserver", _launch(start_method or "forkserver", upbringing, control, lifeline)


def _fork(upbringing: Upbringing, control: socket.socket, lifeline: int, quiet: bool) -> int:
    with contextlib.ExitStack() as until_forked:

        def main() -> None:
            until_forked.close()
            nursery.forked(control, lifeline, upbringing)

        if quiet:
            # Python warns of threads from 3.12 on, and counts those that are parked.
            until_forked.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        process = get_context("fork").Process(target=main, name=f"{upbringing.pool}-nursery", daemon=False)
        popen = popen_fork.Popen(process)
    popen.close()
    pid: int = popen.pid
    return pid


def _launch(start_method: str, upbringing: Upbringing, control: socket.socket, lifeline: int) -> int:
    name = f"{upbringing.pool}-nursery"
    data = preparation(name)
    try:
        pickled = bytes(ForkingPickler.dumps(upbringing))
        if start_method == "spawn":
            main = main_module(data)
            pickled = bytes(ForkingPickler.dumps(SpawnedUpbringing(upbringing.pool, pickled, main)))
            data = {key: value for key, value in data.items() if key not in main}
    except Exception as error:
        raise UsageError(
            f"the children of the pool {upbringing.pool} start by {start_method}, so what they are given is pickled, "
            f"and this cannot be: {error}; give an initializer and arguments that can, or open the pool with "
            f'start_method="fork" before any thread is started'
        ) from error
    args = (control.fileno(), lifeline, pickled)
    process = get_context("spawn").Process(target=nursery.fresh, args=args, name=name, daemon=False)
    pid: int = Launch(process, data, (control.fileno(), lifeline)).pid
    return pid


def _is_alone(parked: int) -> bool:
    """Whether this process has no threads, by the kernel's account, but the calling one and those that are parked."""
    for _ in range(10):
        if len(list(Path("/proc/self/task").iterdir())) == 1 + parked:
            return True
        if threading.active_count() > 1 + parked:
            return False
        # One that has ended is listed for a moment longer, and one that Python does not know stays.
        time.sleep(0.001)
    return False
