"""The stages of a job of the prefork pool: how long each takes in the host, and in a child.

The host's are processor time, since the threads of the host take turns; a child has one thread, whose clock is read on
either side of its job's target. It leaves its readings in memory that it has shared with the host since the fork.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import pools
from benchmarks.contender import on_accept
from benchmarks.ours import SOFT_TIMEOUT, TIMEOUT

JOBS = 20_000
#: Seconds for which the child is held while jobs are given.
HOLD = 1.0

_readings = memoryview(mmap.mmap(-1, 3 * 8 * JOBS)).cast("d")
_positions: Iterator[int] = iter(range(0, 3 * JOBS, 3))


def target() -> None:
    """The job: leaves when it began, when its target was called, and when that is about to return."""
    called = time.monotonic()
    job = pools.current_job()
    assert job is not None
    assert job.accepted_at is not None
    at = next(_positions)
    _readings[at] = job.accepted_at
    _readings[at + 1] = called
    _readings[at + 2] = time.monotonic()


def nothing() -> None:
    """The job while the host is looked at."""


def measure(request: dict[str, Any]) -> dict[str, float]:
    """Give the seconds of each stage of a job, with limits if the request says so."""
    limits: dict[str, Any] = {"soft_timeout": SOFT_TIMEOUT, "timeout": TIMEOUT} if request["limits"] else {}
    host = _host(limits)
    _run(target, limits)
    times = [tuple(_readings[at : at + 3]) for at in range(0, 3 * JOBS, 3)]
    return {
        **host,
        "enter": median(called - began for began, called, _ in times),
        "reply": median(after[0] - job[2] for job, after in pairwise(times)),
    }


def _host(limits: dict[str, Any]) -> dict[str, float]:
    _run(nothing, limits)
    given, ended = _run(nothing, limits)
    return {"apply": given, "loop": ended}


def _run(job: Callable[[], None], limits: dict[str, Any]) -> tuple[float, float]:
    """Run jobs through a child that is held until all are given.

    Returns:
        The host's seconds for each until then, and after it.
    """
    values: list[Any] = []
    with pools.open("prefork", 1, start_method="fork") as pool:
        held = pool.apply_async(time.sleep, (HOLD,))
        begun = time.process_time()
        for _ in range(JOBS):
            pool.apply_async(job, callback=values.append, accept_callback=on_accept, **limits)
        given = time.process_time()
        held.wait()
        pool.join()
        ended = time.process_time()
    if len(values) != JOBS:
        raise RuntimeError(f"{JOBS} jobs were given, and {len(values)} ended")
    return (given - begun) / JOBS, (ended - given) / JOBS
