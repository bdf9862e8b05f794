"""A job as a future of the standard library: what ``pool.submit`` and ``PoolExecutor.submit`` return."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pools.errors import Cancelled

if TYPE_CHECKING:
    from pools.job import Job
    from pools.pool import BasePool

T = TypeVar("T")


class JobFuture(concurrent.futures.Future[T]):
    """The future of one job. It has every property of its base class, and its job as ``job``."""

    job: Job

    def cancel(self) -> bool:
        """Cancel the job, unless a slot has accepted it; returns whether it is cancelled."""
        return self.cancelled() or self.job.cancel()

    def result(self, timeout: float | None = None) -> T:
        """What the job returned; waits for it, for ``timeout`` seconds at the most.

        Raises:
            TimeoutError: There is no outcome yet.
            concurrent.futures.CancelledError: The job was cancelled.
            BaseException: The outcome, if the job did not succeed.
        """
        self._await_outcome(timeout)
        return super().result(timeout=0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The outcome if the job did not succeed, else None; the same as :meth:`result` otherwise."""
        self._await_outcome(timeout)
        return super().exception(timeout=0)

    def _await_outcome(self, timeout: float | None) -> None:
        # The base class waits on a lock of the threading module, which would stop the hub of a green pool that left
        # threads unpatched: wait as the pool does.
        if not self.done():
            pool = self.job.pool
            pool.check_may_wait(self.job)
            event = pool.new_event()
            self.add_done_callback(lambda _: event.set())
            event.wait(timeout)

    def _begin(self, slot_id: int, accepted_at: float) -> None:
        self.set_running_or_notify_cancel()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, Cancelled):
            super().cancel()
            self.set_running_or_notify_cancel()
        else:
            self.set_exception(error)


def future_of(pool: BasePool, fn: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> JobFuture[T]:
    """Give ``fn(*args, **kwargs)`` to the pool and return the job's future."""
    future: JobFuture[T] = JobFuture()
    future.job = pool.apply_async(
        fn,
        args,
        kwargs,
        callback=future.set_result,
        error_callback=future._fail,
        accept_callback=future._begin,
    )
    return future
