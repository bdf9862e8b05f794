"""One slot: a thread that runs jobs, and the ways to interrupt the job that it runs."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from pools.errors import SoftTimeLimitExceeded, StopJob
from pools.execution import end, execute
from pools.job import Job
from pools.limits import soft_error
from pools.uncut import here

if TYPE_CHECKING:
    from pools_threads.pool import ThreadsPool


#: One at a time switches the garbage collector off and on again.
_no_collection = threading.Lock()


def soft_limit(error: type[SoftTimeLimitExceeded]) -> type[SoftTimeLimitExceeded]:
    """The soft limit ``error`` as the interpreter makes it, without arguments, in the thread where it raises it."""

    class SoftLimit(error):  # type: ignore[valid-type, misc]  # whichever it is
        def __init__(self) -> None:
            assert isinstance(here.interruptible, Worker)
            job = here.interruptible.interrupted()
            job.soft_raised = True
            super().__init__(*soft_error(job).args)

    SoftLimit.__name__, SoftLimit.__qualname__ = error.__name__, error.__qualname__
    SoftLimit.__module__ = error.__module__
    return SoftLimit


class Worker:
    """A thread with a slot.

    An interruption is an asynchronous exception (``PyThreadState_SetAsyncExc``), which the interpreter raises some
    time after it was asked to. So it is asked for, and called off, under :attr:`_guard`, and only while :attr:`_job` is
    the job that it is meant for: what :meth:`call_off` has done, no later job can be hit.
    """

    def __init__(self, pool: ThreadsPool, slot_id: int) -> None:
        self._pool = pool
        self.slot_id = slot_id
        self._next: Job | None = None
        self._retired = False
        self._wake = threading.Lock()
        self._wake.acquire()
        # Reentrant, because a finalizer may run while it is taken, and submit a job.
        self._guard = threading.RLock()
        self._job: Job | None = None
        self._called_off: Job | None = None
        #: Whether an interruption was asked for and not called off.
        self._asked = False
        #: How many parts of a pool's own code the job is in that must not be cut, and what waits for their end.
        self._holds = 0
        self._held: type[BaseException] | None = None
        self.abandoned = False
        # A daemon, because an abandoned thread may never end, and must not keep the program from ending.
        self.thread = threading.Thread(target=self._run, name=f"pools-{pool.name}-{slot_id}", daemon=True)
        self.thread.start()

    def begin(self, job: Job) -> None:
        """Run this job, and then what else waits. Only for a worker whose slot is free."""
        self._next = job
        self._wake_up()

    def retire(self) -> None:
        """End the thread, at once if its slot is free and else after its job. May be called again."""
        self._retired = True
        self._wake_up()

    def admit(self, job: Job) -> None:
        """Let the job be interrupted from now on. Only on the worker's own thread, for a job with limits.

        Until then an interruption would hit the pool's own code that watches the limits, with a lock taken or a thread
        half started. Who has ended the job by then finds no one to interrupt, and its call is not made.
        """
        self._job = job
        # In this order: whoever announced a soft limit before the line above has not found the job here.
        if job.soft_announced:
            with self._guard:
                if not job.soft_raised:
                    self._interrupt(self._pool.soft_limit)

    def raise_soft_limit(self, job: Job) -> None:
        """Raise the soft limit in the job, if it still runs here and is not shielded."""
        with self._guard:
            if self._job is job and job in self._pool.ledger.accepted and not job.soft_raised:
                if job.shielded:
                    job.soft_pending = True
                else:
                    self._interrupt(self._pool.soft_limit)

    def abandon(self, job: Job) -> bool:
        """Leave the thread to a job that has its outcome, and ask that job to stop.

        Returns:
            Whether it runs here. A job that is ended on its own thread ends by itself, and keeps its slot till then.
        """
        if self.thread is threading.current_thread():
            return False
        with self._guard:
            if self._job is not job:
                return False
            self.abandoned = True
            self._interrupt(StopJob)
            return True

    def call_off(self, job: Job) -> None:
        """See to it that no interruption on the job's account comes after this. Only on the worker's own thread."""
        with self._guard:
            # Mostly nothing was asked for, and the call through ctypes costs as much as the job.
            if self._asked:
                self._interrupt(None)
            if self._job is job:
                self._called_off, self._job = job, None

    def defer(self, job: Job) -> None:
        """Turn a soft limit that is on its way into a pending one: a shield has begun. Only on the worker's thread."""
        with self._guard:
            if job.soft_announced and not job.soft_raised and not self.abandoned:
                self._interrupt(None)
                job.soft_pending = True

    def hold(self) -> None:
        """See :class:`pools.uncut.Interruptible`. Only on the worker's own thread."""
        with self._guard:
            # Nothing more is asked for now, and what was asked for before is raised as soon as a function begins.
            self._let_in()
            self._holds += 1

    def let_go(self) -> None:
        """See :class:`pools.uncut.Interruptible`. Only on the worker's own thread."""
        with self._guard:
            self._holds -= 1
            if self._held is not None and not self._holds:
                held, self._held = self._held, None
                self._interrupt(held)

    def interrupted(self) -> Job:
        """The job that an interruption is meant for which has just been raised here."""
        job = self._job or self._called_off
        assert job is not None
        return job

    def frame(self) -> FrameType | None:
        """Where the thread stands."""
        # CPython 3.11 has a lock of its own taken there: a finalizer that the garbage collector runs meanwhile, and a
        # thread that asks for an interruption, would wait for each other for ever.
        with _no_collection:
            enabled = gc.isenabled()
            gc.disable()
            try:
                return sys._current_frames().get(self.thread.ident or 0)
            finally:
                if enabled:
                    gc.enable()

    def _let_in(self) -> None:
        """Have an interruption raised that is on its way."""

    def _interrupt(self, exception: type[BaseException] | None) -> None:
        if self._holds:
            self._held = exception
            return
        self._asked = exception is not None
        target = ctypes.py_object() if exception is None else ctypes.py_object(exception)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread.ident or 0), target)

    def _wake_up(self) -> None:
        with contextlib.suppress(RuntimeError):  # it was woken, and looks for everything once it runs
            self._wake.release()

    def _run(self) -> None:
        here.interruptible = self
        pool = self._pool
        # Only a worker that the pool knows can be forgotten: it does when the first job comes.
        self._wake.acquire()
        if pool.initialize():
            self._work()
            pool.forget(self)
        else:
            # In this order: whoever gets the slot must not find this worker there.
            pool.forget(self)
            pool.free_slot(self.slot_id)

    def _work(self) -> None:
        pool = self._pool
        while True:
            job, self._next = self._next, None
            while job is not None:
                self._job = None if job.limited else job
                try:
                    execute(job)
                except (StopJob, SoftTimeLimitExceeded) as late:
                    # The second interruption of one job, while the first was being dealt with.
                    end(job, None, late)
                self._job = self._called_off = None
                if self.abandoned:
                    return
                job = pool.next_job(self.slot_id)
            if self._retired and self._next is None:
                return
            self._wake.acquire()
