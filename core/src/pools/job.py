"""Job: one call given to a pool, with its callbacks, its limits and its single outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import Context
from time import monotonic
from typing import TYPE_CHECKING, Any

from pools import signals
from pools.announcements import announce_acceptance
from pools.call import AcceptCallback, Callback, ErrorCallback, TimeoutCallback
from pools.errors import SoftTimeLimitExceeded, StopJob
from pools.execution import end, execute
from pools.limits import NEVER
from pools.states import JobState

if TYPE_CHECKING:
    from pools.pool import BasePool

log = logging.getLogger(__name__)

_WAITING = JobState.WAITING
_ACCEPTED = JobState.ACCEPTED
_SUCCEEDED = JobState.SUCCEEDED
#: Shared by all jobs that have none: a call does not change it.
NO_KWARGS: Mapping[str, Any] = {}
_NO_CONTEXT = Context()


def _gone() -> None:
    """What stands for the target of a job that has its outcome: nothing of the call is kept alive."""


class Job:
    """One call given to a pool. Users get one from ``apply_async``; pools get it in ``on_apply``.

    A pool of this process has its slot call :meth:`run`. A pool that runs jobs elsewhere calls :meth:`accept` when
    the job begins and then :meth:`succeed` or :meth:`fail` once, from any thread.

    Attributes:
        pool: The pool that took it.
        id: Its number in that pool, from 1.
        target: What to call, until it has its outcome; ``args`` and ``kwargs`` go with it.
        correlation_id: What the host knows it by, or None.
        state: Where it is in its life.
        slot_id: The slot that has it, or None.
        accepted_at: When it was accepted, in seconds of ``time.monotonic()``, or None.
        soft_timeout: Its soft limit in seconds from acceptance, or None.
        timeout: Its hard limit in seconds from acceptance, or None.
        deadline: When its hard limit passes, in seconds of ``time.monotonic()``, or None.
        cancel_requested: Whether anyone asked for its end, in vain so far if it still runs.
    """

    # Defaults live on the class, and nothing is packed into tuples: while many jobs wait, each object less is one less
    # for the garbage collector to look at.
    pool: BasePool
    id: int
    target: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    callback: Callback | None
    error_callback: ErrorCallback | None
    accept_callback: AcceptCallback | None
    timeout_callback: TimeoutCallback | None
    context: Context

    correlation_id: str | None = None
    state: JobState = _WAITING
    slot_id: int = 0
    accepted_at: float | None = None
    soft_timeout: float | None = None
    timeout: float | None = None
    deadline: float | None = None
    cancel_requested: bool = False

    #: Whether it has a limit.
    limited: bool = False
    #: When its next limit is due, for :class:`pools.limits.Limits`.
    limit_at: float = NEVER
    #: How many ``shield`` blocks it is in, and whether a soft limit waits for their end.
    shielded: int = 0
    soft_pending: bool = False
    #: Whether its soft limit was told to its timeout callback, and was raised inside it.
    soft_announced: bool = False
    soft_raised: bool = False
    #: Whether it has been entered among the jobs that run.
    entered: bool = False
    #: Whether it is to end as soon as it is accepted.
    stop_requested: bool = False
    #: Whether its call has ended although it had its outcome before.
    ended: bool = False

    _value: Any = None
    _error: BaseException | None = None

    def __init__(
        self,
        pool: BasePool,
        number: int,
        target: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        callback: Callback | None,
        error_callback: ErrorCallback | None,
        accept_callback: AcceptCallback | None,
        timeout_callback: TimeoutCallback | None,
        context: Context,
    ) -> None:
        self.pool = pool
        self.id = number
        self.target = target
        self.args = args
        self.kwargs = kwargs
        self.callback = callback
        self.error_callback = error_callback
        self.accept_callback = accept_callback
        self.timeout_callback = timeout_callback
        self.context = context

    def __str__(self) -> str:
        return f"job {self.id} of pool {self.pool.name}"

    def __repr__(self) -> str:
        return f"<{self}: {self.state.value}>"

    # -- For users -----------------------------------------------------------------------------------------------------

    def done(self) -> bool:
        """Whether it has its outcome."""
        state = self.state
        return state is not _WAITING and state is not _ACCEPTED

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the outcome, for ``timeout`` seconds at the most; returns whether it is there."""
        return self.done() or self.pool.wait_for(self, timeout)

    def result(self, timeout: float | None = None) -> Any:
        """What the call returned; waits for it, for ``timeout`` seconds at the most.

        Raises:
            TimeoutError: There is no outcome yet.
            BaseException: The outcome, if the job did not succeed: what it raised, or a subclass of ``JobError``.
        """
        error = self.exception(timeout)
        if error is None:
            return self._value
        try:
            raise error
        finally:
            # The traceback has this frame: what it refers to would keep itself alive.
            del self, error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The outcome if the job did not succeed, else None; waits for it, for ``timeout`` seconds at the most.

        Raises:
            TimeoutError: There is no outcome yet.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"{self} has no outcome after {timeout} s: it is {self.state.value}")
        return self._error

    def when_done(self, fn: Callable[[Job], object]) -> None:
        """Call ``fn(job)`` once it has its outcome, in whichever thread settles it; at once if it has one."""
        self.pool.watchers.add(self, fn)

    def cancel(self) -> bool:
        """Give it the outcome cancelled, if no slot has accepted it.

        A job that runs goes on, and can see ``cancel_requested``; :meth:`terminate` ends one.

        Returns:
            Whether it was cancelled.
        """
        return self.pool.cancel_job(self)

    def terminate(self, signal: int | str | None = None) -> bool:
        """Give it the outcome terminated, whether it runs or not.

        Args:
            signal: The signal that a pool of processes sends; the other pools have one way to end a job.

        Returns:
            Whether it was terminated; False if it has its outcome already.

        Raises:
            UnsupportedError: It runs, and the pool's trait ``terminate`` says that it cannot be ended.
        """
        return self.pool.end_job(self, signal)

    # -- For pools -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run it in the calling thread or greenlet, and then whatever else waits for a slot.

        Returns when nothing waits, or when the slot is to go; the slot is free then.
        """
        job: Job | None = self
        while job is not None:
            try:
                execute(job)
            except (StopJob, SoftTimeLimitExceeded) as late:
                # The second interruption of one job, while the first was being dealt with.
                end(job, None, late)
            job = job.pool.next_job(job.slot_id)

    def accept(self, at: float | None = None) -> bool:
        """Begin it in slot ``slot_id``: the pool's promise that the call is made now.

        Args:
            at: When it began, in seconds of ``time.monotonic()``, if not now.

        Returns:
            Whether the call is to be made; False if the job has an outcome already (it was cancelled or terminated).
        """
        pool = self.pool
        ledger = pool.ledger
        if not ledger.waiting.pop(self, False):
            return False
        self.state = _ACCEPTED
        self.accepted_at = now = monotonic() if at is None else at
        if self.accept_callback is not None or signals.accepted.receivers:
            ledger.accepting[self.slot_id] = self
            announce_acceptance(self, now)
            del ledger.accepting[self.slot_id]
        ledger.accepted[self] = True
        self.entered = True
        if self.limited:
            pool.watch_limits(self, now)
        if (self.stop_requested and ledger.requests.pop(self, None)) or pool.terminating:
            # Who asked came while the job stood in neither book, and sees by this that it was heard.
            pool.end_job(self)
        # Not by its state: who has taken it may be about to settle it.
        return self in ledger.accepted

    def succeed(self, value: Any) -> None:
        """Report, for a job that ran elsewhere, what the call returned; frees its slot."""
        end(self, value, None)
        self.pool.free_slot(self.slot_id)

    def fail(self, error: BaseException, state: JobState = JobState.FAILED) -> None:
        """Report, for a job that ran elsewhere or could not be begun, that it ended in ``error``; frees its slot."""
        if self.pool.ledger.waiting.pop(self, False):
            self.settle(state, error=error)
        else:
            end(self, None, error, state)
        self.pool.free_slot(self.slot_id)

    def settle(self, state: JobState, value: Any = None, error: BaseException | None = None) -> None:
        """Give it its outcome. Only for who has taken it out of the pool's ledger."""
        pool = self.pool
        callback = self.callback if error is None else self.error_callback
        self._value = value
        self._error = error
        self.state = state
        # Neither arguments nor callbacks live longer than the job.
        self.target = _gone
        self.args = ()
        self.kwargs = NO_KWARGS
        self.context = _NO_CONTEXT
        self.callback = self.error_callback = self.accept_callback = self.timeout_callback = None
        if state is _SUCCEEDED:
            pool.counts.succeeded += 1
        else:
            pool.counts.add(state)
        if pool.permits is not None:
            pool.permits.release()
        if pool.watchers.of:
            pool.watchers.tell(self)
        if callback is not None:
            try:
                callback(value if error is None else error)
            except BaseException:
                log.exception("the %s of %s raised", "callback" if error is None else "error_callback", self)
        if signals.finished.receivers:
            signals.emit(signals.finished, pool, job=self)


def _lay_out_attributes() -> None:
    """Have CPython lay out instances with room for every attribute.

    The room is made by the first few instances, with what they have set by then; what later ones set beyond that
    costs each a dictionary, which is a third of the time of a job with limits.
    """
    first = Job.__new__(Job)
    for name in Job.__annotations__:
        setattr(first, name, None)


_lay_out_attributes()
