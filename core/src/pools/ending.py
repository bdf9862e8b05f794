"""How a job is ended from outside: cancelled, terminated, or past its hard limit.

Each of these takes the job out of the ledger, has the pool stop it if it runs, and settles it. A job that goes on
running nevertheless is a stray: it has its outcome and still holds its slot or its thread.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from pools.announcements import announce_timeout
from pools.current import current_job
from pools.errors import Cancelled, StopJob, Terminated, UnsupportedError
from pools.job import Job
from pools.limits import NEVER, STOP_AGAIN, hard_error
from pools.states import JobState

#: The states of a job that its slot is about to end, or has ended by now, because someone asked while it was accepted.
_ENDING = (JobState.WAITING, JobState.ACCEPTED, JobState.TERMINATED)


def cancel(job: Job) -> bool:
    """Settle a job that no slot has accepted as cancelled; returns whether it was one."""
    with settling(job):
        if job.pool.ledger.waiting.pop(job, False):
            job.pool.ledger.requests.pop(job, None)
            job.settle(JobState.CANCELLED, error=Cancelled(f"{job} was cancelled before any slot accepted it"))
            return True
    job.cancel_requested = True
    return False


def terminate(job: Job, signal: int | str | None = None) -> bool:
    """Settle a job as terminated, and stop it if it runs; returns whether it had no outcome yet.

    Raises:
        UnsupportedError: It runs, and its pool cannot end running jobs.
        StopJob: The calling code runs in this very job.
    """
    pool = job.pool
    stoppable = pool.traits.terminate
    if not (stoppable or pool.terminating or job.stop_requested) and job.state is JobState.ACCEPTED:
        raise UnsupportedError(f"pool {pool.name} cannot end a job that runs (trait terminate is False)")
    if job.done():
        return False
    # A job that is being accepted stands in neither book: it sees this as soon as it is in the second one.
    requests, request = pool.ledger.requests, object()
    first = requests.setdefault(job, request) is request
    job.cancel_requested = job.stop_requested = True
    with settling(job):
        if pool.ledger.waiting.pop(job, False):
            requests.pop(job, None)
            job.settle(JobState.TERMINATED, error=Terminated(f"{job} was terminated before any slot accepted it"))
            return True
        if take(job):
            requests.pop(job, None)
            if stoppable:
                _stop(job, signal)
            job.settle(JobState.TERMINATED, error=Terminated(f"{job} was terminated while it ran"))
            if current_job() is job:
                raise StopJob(f"{job} has its outcome")
            return True
    # A job that is in the second book by now and has not heard of us was taken by another; so was one that is in no
    # slot's hands. Any other one has ended on account of the first request, or is being accepted and will.
    if not first or (job.entered and requests.pop(job, None) is not None):
        return False
    return job.slot_id > 0 and job.state in _ENDING


def time_out(job: Job) -> None:
    """Settle a job as past its hard limit, with the stack where it stands, and stop it."""
    with settling(job):
        if take(job):
            settle_timed_out(job, job.pool.stack_of(job))


def settle_timed_out(job: Job, stack: str) -> None:
    """Stop and settle a job whose hard limit passed while it stood at ``stack``; only for who has taken it."""
    _stop(job, None)
    announce_timeout(job, soft=False)
    job.settle(JobState.TIMED_OUT, error=hard_error(job, stack))


def stop_again(job: Job) -> None:
    """Stop a stray that is still there."""
    if job in job.pool.ledger.strays:
        _stop(job, None)


def take(job: Job) -> bool:
    """Take a job that runs out of the ledger; returns whether it was there to be taken."""
    ledger = job.pool.ledger
    if not ledger.accepted.pop(job, False):
        return False
    ledger.strays[job] = True
    # Its slot says that it ended and then looks among the strays: in whatever order this falls, one of us removes it.
    if job.ended:
        ledger.strays.pop(job, None)
    return True


def _stop(job: Job, signal: int | str | None) -> None:
    if job.pool.stop_job(job, signal):
        job.limit_at = time.monotonic() + STOP_AGAIN
        job.pool.expect_limit(job.limit_at)
    else:
        job.limit_at = NEVER


@contextlib.contextmanager
def settling(job: Job) -> Iterator[None]:
    """While its outcome is delivered by someone beside its slot, a job counts as unfinished."""
    settling = job.pool.ledger.settling
    # Several may be at it at once, of whom one settles the job: the others do not end that by coming too late.
    one = object()
    settling[one] = job
    try:
        yield
    finally:
        del settling[one]
        job.pool.check_idle()
