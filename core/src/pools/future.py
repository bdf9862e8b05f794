"""A job as a future of the standard library: what ``pool.submit`` and ``PoolExecutor.submit`` return."""

from __future__ import annotations

import _thread
import concurrent.futures
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pools.errors import BrokenPoolError, Cancelled
from pools.states import JobState

if TYPE_CHECKING:
    from pools.job import Job
    from pools.permits import Event
    from pools.pool import BasePool

T = TypeVar("T")


class BrokenPoolExecutor(BrokenPoolError, concurrent.futures.BrokenExecutor):
    """``BrokenPoolError`` as those know it who handle futures. Its cause is the original error."""


class JobFuture(concurrent.futures.Future[T]):
    """The future of one job. It has every property of its base class, and its job as ``job``.

    ``concurrent.futures.wait`` and ``as_completed`` block the calling thread itself: the hub's thread of a green pool
    must not call them in a program that left threads unpatched. The methods here may be called everywhere.
    """

    job: Job

    def __init__(self) -> None:
        super().__init__()
        # The patch of a green pool leaves this lock as it is: a green one hangs when threads of the system contend for
        # it, and nobody waits while holding it.
        self._condition = threading.Condition(_thread.RLock())
        self._sleepers: list[Event] = []
        # The first of the callbacks, so that none of a user's holds up who waits for the outcome.
        self.add_done_callback(partial(_wake, self._sleepers))

    def cancel(self) -> bool:
        """Cancel the job, unless a slot has accepted it; returns whether it is cancelled."""
        if self.done():
            return self.cancelled()
        return self.job.cancel() or self.job.state is JobState.CANCELLED

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the outcome, for ``timeout`` seconds at the most; returns whether it is there.

        Raises:
            PoolStateError: The calling code is a job that would wait for ever.
        """
        # The base class waits on a lock of the threading module, which would stop the hub of a green pool that left
        # threads unpatched: wait as the pool does.
        if self.done() or (timeout is not None and timeout <= 0):
            return self.done()
        pool = self.job.pool
        pool.check_may_wait(self.job)
        event = pool.new_event()
        self._sleepers.append(event)
        try:
            # An outcome that came before the line above woke nobody.
            if not self.done():
                event.wait(timeout)
        finally:
            self._sleepers.remove(event)
        return self.done()

    def result(self, timeout: float | None = None) -> T:
        """What the job returned; waits for it, for ``timeout`` seconds at the most.

        Raises:
            TimeoutError: There is no outcome yet.
            concurrent.futures.CancelledError: The job was cancelled.
            BaseException: The outcome, if the job did not succeed.
            PoolStateError: The calling code is a job that would wait for ever.
        """
        self.wait(timeout)
        try:
            return super().result(timeout=0)
        finally:
            # The traceback of what is raised has this frame: no exception keeps itself alive by way of its future.
            del self

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The outcome if the job did not succeed, else None; the same as :meth:`result` otherwise."""
        self.wait(timeout)
        return super().exception(timeout=0)

    def _begin(self, slot_id: int, accepted_at: float) -> None:
        self.set_running_or_notify_cancel()

    def _fail(self, error: BaseException) -> None:
        # What a job that runs raises is its own, a Cancelled too.
        if self.running() or not isinstance(error, (Cancelled, BrokenPoolError)):
            self.set_exception(error)
        elif isinstance(error, BrokenPoolError):
            self.set_exception(_broken_executor(error))
        else:
            try:
                super().cancel()
            finally:
                # Whatever a done callback raises, those who wait for several futures are told.
                self.set_running_or_notify_cancel()


def _wake(sleepers: list[Event], future: object) -> None:
    for event in sleepers.copy():
        event.set()


def _broken_executor(error: BrokenPoolError) -> BrokenPoolExecutor:
    broken = BrokenPoolExecutor(*error.args)
    broken.__cause__ = error.__cause__
    return broken


def future_of(pool: BasePool, fn: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> JobFuture[T]:
    """Give ``fn(*args, **kwargs)`` to the pool and return the job's future.

    Raises:
        PoolStateError, PoolFullError: As ``pool.apply_async``.
        BrokenPoolExecutor: The pool cannot go on.
    """
    future: JobFuture[T] = JobFuture()
    try:
        future.job = pool.apply_async(
            fn,
            args,
            kwargs,
            callback=future.set_result,
            error_callback=future._fail,
            accept_callback=future._begin,
        )
    except BrokenPoolError as error:
        raise _broken_executor(error) from error.__cause__
    return future
