"""The stages of a job: how long each takes in one slot of a pool.

Reads the clock where a pool gives other people's code a turn (its callbacks, the job's target) and where it asks its
own subclass (``on_apply``, ``next_job``): no part of the pool is replaced or taken apart.
"""

from __future__ import annotations

import time
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks.cases import QUICK, flood
from benchmarks.ours import Ours
from pools import BasePool, Job
from pools.registry import pool_class

#: The stages of a slot, each from one reading of the clock to the next.
SLOT_STAGES = ("accept", "context", "call", "settle", "next")

now = time.perf_counter_ns


class Readings:
    """The clock's readings, one list for each seam, in the order of the jobs: a pool of one slot keeps that order."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.returned: list[int] = []
        #: What a slot goes through: it has the job, has told of its acceptance, is in it, has left it, has told of
        #: its value, and looks for the next.
        self.slot: tuple[list[int], ...] = ([], [], [], [], [], [])

    def target(self) -> None:
        """The job: does nothing, between two readings."""
        self.slot[2].append(now())
        self.slot[3].append(now())

    def on_accept(self, slot_id: int, accepted_at: float) -> None:
        """The accept callback."""
        self.slot[1].append(now())

    def on_value(self, value: object) -> None:
        """The callback."""
        self.slot[4].append(now())


def timed(kind: type[BasePool], readings: Readings) -> BasePool:
    """Make a pool of one slot that reads the clock when its slot gets a job and when it has looked for the next."""
    has_job, looked = readings.slot[0], readings.slot[5]
    on_apply, next_job = kind.on_apply, kind.next_job

    class Timed(kind):  # type: ignore[valid-type, misc]
        name = kind.name

        def on_apply(self, job: Job) -> None:
            has_job.append(now())
            on_apply(self, job)

        def next_job(self, slot_id: int) -> Job | None:
            job = next_job(self, slot_id)
            looked.append(now())
            if job is not None:
                has_job.append(now())
            return job

    return Timed(1)


def seconds_by_stage(kind: type[BasePool], inline: bool, jobs: int) -> dict[str, list[float]]:
    """Run jobs that do nothing through one slot.

    Args:
        kind: The pool's class.
        inline: Whether it runs jobs inside ``apply_async``. In any other pool the slot is held until all jobs are
            given, so that giving them and running them do not disturb each other.
        jobs: How many.

    Returns:
        By stage, the seconds of each job, in their order.
    """
    readings = Readings()
    with timed(kind, readings) as pool:
        go = pool.new_event()
        if not inline:
            pool.apply_async(go.wait)
            readings.slot[0].clear()
        for _ in range(jobs):
            readings.begun.append(now())
            pool.apply_async(readings.target, callback=readings.on_value, accept_callback=readings.on_accept)
            readings.returned.append(now())
        go.set()
        pool.join()
    # Before the first of these jobs the slot also looked when it had been held.
    slot = [*readings.slot[:5], readings.slot[5][-jobs:]]
    apply = _differences(readings.begun, readings.returned)
    if inline:
        apply = [whole - inner for whole, inner in zip(apply, _differences(slot[0], slot[5]), strict=True)]
    stages = {name: _differences(*seams) for name, seams in zip(SLOT_STAGES, pairwise(slot), strict=True)}
    return {"apply": apply, **stages}


def _differences(earlier: list[int], later: list[int]) -> list[float]:
    return [(end - begin) / 1e9 for begin, end in zip(earlier, later, strict=True)]


def measure(request: dict[str, Any]) -> dict[str, list[float]]:
    """Give the seconds of each job by stage, and as ``whole`` those of a job in a flood without readings."""
    kind, inline = pool_class(request["pool"]), request["inline"]
    seconds_by_stage(kind, inline, QUICK.jobs)
    stages = seconds_by_stage(kind, inline, request["jobs"])
    return {**stages, "whole": flood(partial(Ours, request["pool"], 1), time.perf_counter, QUICK)}
