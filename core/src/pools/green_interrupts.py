"""What happens to a job of a green pool that computes, and so keeps the hub from acting on it: by a signal handler.

The handler (of :mod:`pools.urgent`) runs in whatever greenlet computes on the main thread, and only there can it be
told for certain whose job that is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING

import greenlet

from pools import ending, urgent
from pools.announcements import announce_timeout
from pools.call import enter
from pools.errors import StopJob
from pools.job import Job
from pools.limits import soft_error, stack_of

if TYPE_CHECKING:
    from pools.green import GreenPool

#: Seconds for which a job that computes makes way for its own end.
WAY_SECONDS = 1.0


class Interrupts:
    """The interruptions of one pool's jobs; made and stopped on the thread of the pool's hub.

    Attributes:
        possible: Whether there are any: only where that is the main thread.
    """

    def __init__(self, pool: GreenPool, thread: int) -> None:
        self._pool = pool
        self._thread = thread
        #: Jobs that another thread wants to end, which may hold the hub.
        self._in_the_way: dict[Job, bool] = {}
        self.possible = urgent.listen(self._on_signal)

    def stop(self) -> None:
        """Give the signal back."""
        if self.possible:
            self.possible = False
            urgent.ignore(self._on_signal)

    def call(self) -> None:
        """Look what is to happen to the job that computes now. From a native thread."""
        if self.possible:
            urgent.call(self._thread)

    @contextlib.contextmanager
    def making_way(self, job: Job) -> Iterator[None]:
        """Have a job give the hub a turn, if it is the one that holds it, at each :meth:`call` in the ``with`` block.

        For a thread that wants the hub to end that very job.
        """
        self._in_the_way[job] = True
        try:
            yield
        finally:
            self._in_the_way.pop(job, None)

    def _on_signal(self, frame: FrameType | None) -> None:
        job = self._pool.job_here()
        if job is None:
            return
        if job in self._in_the_way:
            self._make_way()
        if job.limit_at <= monotonic():
            self._raise_what_is_due(job, frame)

    def _make_way(self) -> None:
        """Wait here until the hub has ended the calling job, which raises here, or for so long in vain."""
        cancel = self._pool.call_later(WAY_SECONDS, greenlet.getcurrent().switch)
        try:
            self._pool.hub.switch()
        finally:
            cancel()

    def _raise_what_is_due(self, job: Job, frame: FrameType | None) -> None:
        """Raise the limit of a job that computes at ``frame``; callbacks are left to a greenlet of their own."""
        pool = self._pool
        if job in pool.ledger.strays:
            ending.stop_again(job)
            raise StopJob(f"{job} has its outcome")
        if job not in pool.ledger.accepted:
            return
        if job.deadline is not None and job.deadline <= monotonic():
            if ending.take(job):
                pool.spawn(_settle_timed_out, job, stack_of(frame, enter.__code__))
                raise StopJob(f"{job} has its outcome")
        else:
            pool.soft_limit_passed(job)
            pool.spawn(announce_timeout, job, True)
            if job.shielded:
                job.soft_pending = True
            else:
                job.soft_raised = True
                raise soft_error(job)


def _settle_timed_out(job: Job, stack: str) -> None:
    with ending.settling(job):
        ending.settle_timed_out(job, stack)
