"""Who terminates jobs about the time when they end."""

from __future__ import annotations

import contextlib
import random
import time
from _queue import SimpleQueue  # as it is without any patch
from time import monotonic
from typing import Any

from pools import BasePool, Job
from pools.errors import StopJob
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, job_here

#: Seconds that the jobs take which are to be terminated.
LENGTH = 5e-4


def about(offset: float) -> None:
    """A job that takes about so long."""
    accepted_at = job_here().accepted_at
    assert accepted_at is not None
    while monotonic() < accepted_at + LENGTH + offset:
        time.sleep(5e-5)


def about_swallowing(offset: float) -> None:
    """The same, of a job that does not let itself be stopped."""
    with contextlib.suppress(StopJob):
        about(offset)


class Terminator:
    """A thread of the system that terminates jobs about the time when each ends.

    Args:
        by_slot: Whether it calls ``pool.terminate_job``, and not ``job.terminate``.
    """

    def __init__(self, pool: BasePool, count: int, seed: int, by_slot: bool = False) -> None:
        self._pool = pool
        self._by_slot = by_slot
        self._count = count
        self._dice = random.Random(seed)
        self._never = pool.new_event()
        self._accepted: SimpleQueue[tuple[int, float, list[Job]]] = SimpleQueue()
        self._thread = NativeThread(pool, self._run)

    def apply(self, target: Any, *args: Any, **options: Any) -> Record:
        """Give a job to the pool that will be terminated about :data:`LENGTH` seconds after its acceptance."""
        record = Record(self._pool)
        jobs: list[Job] = []
        callbacks = dict[str, Any](record.callbacks())
        accepted = callbacks["accept_callback"]

        def on_accepted(slot_id: int, accepted_at: float) -> None:
            accepted(slot_id, accepted_at)
            self._accepted.put((slot_id, accepted_at, jobs))

        record.job = self._pool.apply_async(target, args, **{**callbacks, **options, "accept_callback": on_accepted})
        jobs.append(record.job)
        return record

    def join(self) -> int:
        """Wait for the end of it all; returns how often the pool said that it had terminated a job."""
        return self._thread.join()

    def _run(self) -> int:
        return sum(self._end(*self._accepted.get(timeout=PATIENCE)) for _ in range(self._count))

    def _end(self, slot_id: int, accepted_at: float, jobs: list[Job]) -> bool:
        when = accepted_at + LENGTH + self._dice.uniform(-LENGTH, 2e-4)
        while not jobs or monotonic() < when:
            self._never.wait(2e-5)  # as a thread of the system does, with or without a hub
        return self._pool.terminate_job(slot_id) if self._by_slot else jobs[0].terminate()
