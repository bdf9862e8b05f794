"""Pools whose jobs run on a ``concurrent.futures.Executor``: anybody's, or one that a plugin makes."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import Any

from pools.errors import BrokenPoolError, WorkerLostError
from pools.foreign.program_end import stop_in_time
from pools.job import Job
from pools.pool import BasePool
from pools.states import JobState


class ExecutorPool(BasePool):
    """Jobs run on an executor, in processes or on machines of its own.

    A plugin's subclass makes :attr:`executor` in ``on_start``, with as many workers as there are slots. Nothing is
    asked of it but ``submit``, and of those workers nothing but to import what the job needs: they need not have pools.

    An executor does not tell when a call begins. So a job is accepted when it is handed over, which is when it begins
    as long as there is a worker for each slot.
    """

    executor: Executor
    #: Whether the executor is shut down when the pool stops.
    shuts_down = True

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self._futures: dict[Future[Any], Job] = {}
        self._is_used = False
        #: The threads that deliver an outcome, by number; each is in the slot of a job.
        self._delivering: list[int] = []

    def on_apply(self, job: Job) -> None:
        self._refuse_if_broken()
        call = self.call_of(job)
        if job.accept():
            self.hand_over(job, call)
        else:
            self.ledger.leave(job)
            self.free_slot(job.slot_id)

    def call_of(self, job: Job) -> Callable[[], Any]:
        """The call that the executor is to make for a job."""
        return functools.partial(job.target, *job.args, **job.kwargs)

    def hand_over(self, job: Job, call: Callable[[], Any]) -> None:
        """Have the executor make a call for a job."""
        future = self.executor.submit(call)
        if not self._is_used:
            self._is_used = True
            stop_in_time(self, self.executor)
        self._futures[future] = job
        future.add_done_callback(self._deliver)

    def on_stop(self) -> None:
        # Of a pool that was terminated: what has not begun need not.
        for future in list(self._futures):
            future.cancel()
        if self.shuts_down:
            self.executor.shutdown(wait=not self.terminating)

    def in_slot(self) -> bool:
        return super().in_slot() or threading.get_ident() in self._delivering

    def loss_of(self, error: BaseException) -> str:
        """What an error of the executor's own says of why a job was lost; empty for one that the job raised."""
        return str(error) if isinstance(error, BrokenExecutor) else ""

    def settle_done(self, job: Job, value: Any) -> None:
        """Report that the call of a job has returned."""
        job.succeed(value)

    def _deliver(self, future: Future[Any]) -> None:
        job = self._futures.pop(future)
        self._delivering.append(threading.get_ident())
        try:
            self._settle(job, future)
        finally:
            self._delivering.remove(threading.get_ident())

    def _settle(self, job: Job, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        reason = "its executor has cancelled it" if future.cancelled() else error and self.loss_of(error)
        if isinstance(error, BrokenExecutor):
            # Before anything else: the executor may hold its lock here, and must be given nothing more.
            self.break_down(error)
        if reason:
            lost = WorkerLostError(f"{job} was lost: {reason}")
            lost.__cause__ = error
            job.fail(lost, JobState.LOST)
        elif error is not None:
            job.fail(error)
        else:
            self.settle_done(job, future.result())

    def _refuse_if_broken(self) -> None:
        if self.broken is not None:
            raise BrokenPoolError(f"pool {self.name} is broken: {self.broken!r}") from self.broken


class ThreadsExecutorPool(ExecutorPool):
    """Jobs run on an executor whose workers are threads of this process: they begin when they say so themselves."""

    def on_apply(self, job: Job) -> None:
        self._refuse_if_broken()
        self.hand_over(job, job.run)

    def settle_done(self, job: Job, value: Any) -> None:
        """A job that ran has its outcome."""


def runs_here(executor: Executor) -> bool:
    """Whether it is known of an executor that its calls are made by threads of this process."""
    # The executor of interpreters, of Python 3.14, is derived from that of threads.
    elsewhere: Any = getattr(futures, "InterpreterPoolExecutor", ())
    return isinstance(executor, ThreadPoolExecutor) and not isinstance(executor, elsewhere)


def workers_of(executor: Executor) -> int | None:
    """How many calls an executor makes at once; None if it does not say."""
    # There is no public name for it; the executors of the standard library and of loky have this one.
    workers = getattr(executor, "_max_workers", None)
    return workers if isinstance(workers, int) and workers > 0 else None
