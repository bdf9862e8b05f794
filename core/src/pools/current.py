"""The job that the calling code runs in, and the critical sections that a soft limit must not cut."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

from pools.errors import PoolsError
from pools.limits import soft_error

if TYPE_CHECKING:
    from pools.job import Job

current: ContextVar[Job | None] = ContextVar("pools.current_job", default=None)


def current_job() -> Job | None:
    """The job that the calling code runs in, or None outside a job.

    A job may look at its ``id``, its ``deadline`` (when its hard limit passes, in seconds of ``time.monotonic()``, or
    None) and its ``cancel_requested``.
    """
    return current.get()


@contextlib.contextmanager
def shield() -> Iterator[None]:
    """Defer the job's soft limit to the end of the ``with`` block, so that it never lands in a critical section.

    The hard limit and ``terminate`` are not deferred. Blocks may be nested; a limit that passed inside is raised when
    the outermost one ends.

    Raises:
        PoolsError: The calling code does not run in a job.
        SoftTimeLimitExceeded: At the end of the block, if the limit passed inside it.
    """
    job = current.get()
    if job is None:
        raise PoolsError("pools.shield() defers the soft limit of a job, and this code does not run in a job")
    job.shielded += 1
    job.pool.on_shield(job)
    try:
        yield
    finally:
        job.shielded -= 1
        if job.soft_pending and not job.shielded:
            job.soft_pending = False
            job.soft_raised = True
            raise soft_error(job)
