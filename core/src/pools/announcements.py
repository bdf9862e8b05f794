"""What is told of a job before its outcome: to its own callbacks, and to whoever listens to the signals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pools import signals

if TYPE_CHECKING:
    from pools.job import Job

log = logging.getLogger(__name__)


def announce_acceptance(job: Job, now: float) -> None:
    """Tell that a slot has begun the job, at ``now``."""
    if job.accept_callback is not None:
        try:
            job.accept_callback(job.slot_id, now)
        except BaseException:
            log.exception("the accept_callback of %s raised", job)
    if signals.accepted.receivers:
        signals.emit(signals.accepted, job.pool, job=job)


def announce_timeout(job: Job, soft: bool) -> None:
    """Tell that a limit of the job has passed; once for each limit."""
    if soft:
        if job.soft_announced:
            return
        job.soft_announced = True
    elif job.soft_timeout is not None and job.timeout is not None and job.soft_timeout < job.timeout:
        # That has passed too, although nobody may have looked in between.
        announce_timeout(job, soft=True)
    seconds = job.soft_timeout if soft else job.timeout
    assert seconds is not None
    if job.timeout_callback is not None:
        try:
            job.timeout_callback(soft, seconds)
        except BaseException:
            log.exception("the timeout_callback of %s raised", job)
    if signals.timed_out.receivers:
        signals.emit(signals.timed_out, job.pool, job=job, soft=soft, seconds=seconds)
