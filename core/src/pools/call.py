"""The call of a job: what happens between its slot and its target, and the shapes of its callbacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from pools import hooks
from pools.current import current

if TYPE_CHECKING:
    from pools.job import Job

#: ``callback(value)``
Callback = Callable[[Any], object]
#: ``error_callback(exception)``
ErrorCallback = Callable[[BaseException], object]
#: ``accept_callback(slot_id, accepted_at)``
AcceptCallback = Callable[[int, float], object]
#: ``timeout_callback(soft, seconds)``
TimeoutCallback = Callable[[bool, float], object]


def enter(job: Job) -> Any:
    """Make the job's call; runs inside the job's own context."""
    current.set(job)
    return job.target(*job.args, **job.kwargs)


def enter_wrapped(job: Job) -> Any:
    """Make the job's call inside what plugins wrap around it; runs inside the job's own context."""
    current.set(job)
    return hooks.run_job(job.pool, job, partial(enter, job))


def own_traceback(error: BaseException) -> BaseException:
    """The error with a traceback that begins in the job's own code; one that a wrapper raised keeps its own.

    The frames before that are noise to the reader, and would keep the job alive for as long as the error lives.
    """
    own = error.__traceback__
    call = own
    while call is not None and call.tb_frame.f_code is not enter.__code__:
        call = call.tb_next
    if call is None:
        return error.with_traceback(own and own.tb_next)
    call.tb_frame.clear()
    return error.with_traceback(call.tb_next)
