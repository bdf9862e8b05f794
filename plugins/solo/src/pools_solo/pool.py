"""The solo pool: one slot, and it is wherever ``apply_async`` is called."""

from __future__ import annotations

import threading
from types import FrameType
from typing import NoReturn

from pools.call import enter
from pools.errors import PoolStateError, StopJob, UnsupportedError
from pools.job import Job
from pools.limits import soft_error, stack_of
from pools.pool import BasePool
from pools.states import JobState
from pools.uncut import Interruptible, here
from pools_solo.alarm import Alarm
from pools_solo.plugin import SPEC


class SoloPool(BasePool):
    """Jobs run inline: ``apply_async`` returns when its job has its outcome.

    Only one job runs at a time. One that is submitted meanwhile, by that job, by a callback or by another thread,
    waits, and the thread that is running jobs runs it next. Limits are kept by a POSIX timer, and so only for jobs
    that run on the main thread; while the pool keeps them, ``SIGALRM`` is the pool's.
    """

    name = SPEC.name
    traits = SPEC.traits

    def on_start(self) -> None:
        self._thread = 0
        self._main = threading.main_thread().ident
        self._alarm = Alarm(self._on_alarm)
        self._frame: FrameType | None = None
        self._rang = self._answering = False
        self._interruption: BaseException | None = None
        #: How many parts of a pool's own code the job is in that must not be cut.
        self._holds = 0
        #: What interrupts the code that submitted the job, which runs in a job of another pool.
        self._outer: Interruptible | None = None
        self.initialize()

    def on_apply(self, job: Job) -> None:
        self._thread = threading.get_ident()
        job.run()

    def on_stop(self) -> None:
        self._alarm.close()

    def in_slot(self) -> bool:
        return not self.slots.free and self._thread == threading.get_ident()

    def check_may_wait(self, job: Job) -> None:
        if self.in_slot() and not job.done():
            raise PoolStateError(
                f"{job} begins when the code that waits for it has ended: pool solo runs one job at a time"
            )

    def check_limits_here(self) -> None:
        if threading.get_ident() != self._main:
            self._refuse_limits("on another thread than the main one")

    def watch_limits(self, job: Job, now: float) -> None:
        if threading.get_ident() == self._main:
            self._outer, here.interruptible = here.interruptible, self
            super().watch_limits(job, now)
        elif self.ledger.accepted.pop(job, False):
            # Submitted by the main thread while this one was running jobs.
            try:
                self._refuse_limits("on another thread than the main one")
            except UnsupportedError as error:
                job.settle(JobState.FAILED, error=error)

    def on_ended(self, job: Job) -> None:
        if here.interruptible is self:
            here.interruptible = self._outer

    def hold(self) -> None:
        """See :class:`pools.uncut.Interruptible`."""
        self._holds += 1

    def let_go(self) -> None:
        """See :class:`pools.uncut.Interruptible`."""
        self._holds -= 1
        self._interrupt()

    def set_alarm(self, when: float) -> None:
        self._alarm.set(when)

    def raise_soft_limit(self, job: Job) -> None:
        if job.shielded:
            job.soft_pending = True
        else:
            job.soft_raised = True
            self._interruption = soft_error(job)

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        self._interruption = StopJob(f"{job} has its outcome")
        return True

    def stack_of(self, job: Job) -> str:
        return stack_of(self._frame, enter.__code__)

    def _refuse_limits(self, where: str) -> NoReturn:
        raise UnsupportedError(
            f"pool solo keeps limits by a POSIX timer, which cannot interrupt a job {where}: "
            "submit it on the main thread, or without limits"
        )

    def _on_alarm(self, frame: FrameType | None) -> None:
        """Runs in the main thread, in the middle of the job or of the pool's own code around it."""
        self._rang = True
        if self._answering:  # what it interrupts is this very method, or a timeout callback that it called
            return
        while self._rang:
            self._rang = False
            self._answering = True
            self._frame = frame
            self.enforce_limits()
            self._frame = None
            self._answering = False
        self._interrupt()

    def _interrupt(self) -> None:
        """Raise what is to be raised in the job, unless it is in what must not be cut."""
        if not self._holds:
            interruption, self._interruption = self._interruption, None
            if interruption is not None:
                raise interruption
