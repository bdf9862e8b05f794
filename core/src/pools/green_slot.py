"""A slot of a green pool: a greenlet that runs one job after another."""

from __future__ import annotations

from sys import getrefcount
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING
from weakref import getweakrefcount

import greenlet

from pools.errors import SoftTimeLimitExceeded, StopJob
from pools.execution import end, execute
from pools.job import Job

if TYPE_CHECKING:
    from pools.green import GreenPool

#: Seconds of jobs that never yield after which their slot does, so that hub and timers get their turn.
SLICE = 0.01


class Slot:
    """A slot: a greenlet that runs one job after another.

    A greenlet is used again for as long as no job leaves anything in it: a reference or a weak reference to it (by
    which greenlet-locals are kept, timeouts that were not cancelled, links) or an attribute. Otherwise the next job
    gets a new greenlet, as every job would in ``gevent.pool.Pool`` or ``eventlet.GreenPool``.
    """

    __slots__ = ("_next", "_retired", "greenlet", "job", "pool", "slot_id")

    def __init__(self, pool: GreenPool, slot_id: int) -> None:
        self.pool = pool
        self.slot_id = slot_id
        #: The job that it runs, or None.
        self.job: Job | None = None
        self._next: Job | None = None
        self._retired = False
        self.greenlet = greenlet.greenlet(self._run, pool.hub)

    def begin(self, job: Job) -> None:
        """Run this job, and then what else waits. Only for a slot that is free; on the hub's thread."""
        self._next = job
        self.pool.run_soon(self.greenlet.switch)

    def retire(self) -> None:
        """End the greenlet, at once if the slot is free and else after its job. On the hub's thread."""
        self._retired = True
        if self._next is None and self.job is None:
            self.pool.run_soon(self.greenlet.switch)

    def throw(self, error: BaseException) -> None:
        """Throw into the job. Only in the hub's greenlet."""
        self.greenlet.throw(error)

    def _run(self) -> None:
        pool = self.pool
        if pool.initialize():
            if pool.options.initializer is not None:
                # Whoever woke it last may hold more references to this greenlet than whoever begins a job.
                pool.run_soon(self.greenlet.switch)
                pool.hub.switch()
            references = getrefcount(self.greenlet)
            weak_references = getweakrefcount(self.greenlet)
            while self._wait():
                if not self._work(references, weak_references) and not self._retired:
                    self._renew()
                    return
        else:
            pool.free_slot(self.slot_id)
        pool.forget(self)

    def _wait(self) -> bool:
        """Wait for a job; returns False if the slot is to end."""
        while self._next is None and not self._retired:
            self.pool.hub.switch()
        return self._next is not None

    def _work(self, references: int, weak_references: int) -> bool:
        """Run the next job, and then what else waits; returns whether the greenlet can be used again."""
        pool = self.pool
        job, self._next = self._next, None
        slice_ends = monotonic() + SLICE
        while job is not None:
            self.job = job
            try:
                execute(job)
            except (StopJob, SoftTimeLimitExceeded) as late:
                # The second interruption of one job, while the first was being dealt with.
                end(job, None, late)
            self.job = None
            if (
                getrefcount(self.greenlet) > references
                or getweakrefcount(self.greenlet) > weak_references
                or self.greenlet.__dict__
            ):
                return False
            if job.accepted_at is not None and job.accepted_at > slice_ends:
                pool.run_soon(self.greenlet.switch)
                pool.hub.switch()
                slice_ends = monotonic() + SLICE
            if self._retired:
                return True
            job = pool.next_job(self.slot_id)
        return True

    def _renew(self) -> None:
        """Go on in a new greenlet."""
        self.greenlet = greenlet.greenlet(self._run, self.pool.hub)
        job = self.pool.next_job(self.slot_id)
        if job is not None:
            self.begin(job)


def job_at(frame: FrameType) -> Job | None:
    """The job of the slot that is at work in ``frame``; None for any other frame. Any thread may ask."""
    job: Job | None = frame.f_locals.get("job") if frame.f_code is Slot._work.__code__ else None
    return job
