"""The execution of a job in this process: from its slot, through its call, to its outcome."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from pools.announcements import announce_timeout
from pools.call import enter, enter_wrapped, own_traceback
from pools.errors import SoftTimeLimitExceeded, StopJob, TimeLimitExceeded
from pools.limits import passed
from pools.states import JobState

if TYPE_CHECKING:
    from pools.job import Job

_SUCCEEDED = JobState.SUCCEEDED


def execute(job: Job) -> None:
    """Run a job in the calling thread or greenlet, to its outcome; its slot stays taken."""
    try:
        if not job.accept():
            job.pool.on_ended(job)
            job.pool.ledger.leave(job)
            return
        try:
            value = job.context.run(enter_wrapped if job.pool.wraps_jobs else enter, job)
        except BaseException as error:
            end(job, None, own_traceback(error))
        else:
            # What `end` comes to for most jobs, without the call.
            if not job.limited and job.pool.ledger.accepted.pop(job, False):
                job.settle(_SUCCEEDED, value)
            else:
                end(job, value, None)
    except (StopJob, SoftTimeLimitExceeded) as error:
        # A pool that interrupts running code did so just before the call, or just after it had returned.
        end(job, None, error)
    finally:
        # The frames of the call, which an error keeps, have this one behind them.
        del job


def end(
    job: Job,
    value: Any,
    error: BaseException | None,
    state: JobState = JobState.FAILED,
    at: float | None = None,
) -> None:
    """Settle a job with how its call ended, now or ``at`` that time, unless a limit or a termination came first.

    Called again when an interruption that was meant for the call hit this method instead.
    """
    pool = job.pool
    limit: BaseException | None = None
    if job.limited:
        pool.on_ended(job)
        limit = passed(job, error, monotonic() if at is None else at)
    if not pool.ledger.accepted.pop(job, False):
        pool.on_ended(job)
        pool.ledger.leave(job)
        return
    if job.soft_raised:
        # Told by now, unless a signal handler raised it, which calls no callbacks.
        announce_timeout(job, soft=True)
    if limit is not None and limit is not error:
        announce_timeout(job, soft=not isinstance(limit, TimeLimitExceeded))
        job.settle(JobState.TIMED_OUT, error=limit)
    elif error is None:
        job.settle(_SUCCEEDED, value)
    elif job.soft_raised and isinstance(error, SoftTimeLimitExceeded):
        job.settle(JobState.TIMED_OUT, error=error)
    else:
        job.settle(state, error=error)
