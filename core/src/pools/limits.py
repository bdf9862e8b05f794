"""Time limits: when the next one is due, and what then happens to the job that it belongs to (contract, point 5)."""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterable
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from pools.errors import SoftTimeLimitExceeded, TimeLimitExceeded

if TYPE_CHECKING:
    from pools.job import Job

#: The time of a limit that is not there.
NEVER = math.inf

#: Seconds that a job which is stopped has for its cleaning up before it is stopped again.
STOP_AGAIN = 1.0


class Limits:
    """When the next limit of any running job is due.

    Most jobs end long before their limit, so a job costs one comparison here when it is accepted and nothing when it
    ends: only when :attr:`due_at` passes are the running jobs looked at, all of them, for those that are due and for
    the next :attr:`due_at`. The clock is passed in.
    """

    __slots__ = ("due_at",)

    def __init__(self) -> None:
        self.due_at = NEVER

    def watch(self, job: Job, now: float) -> bool:
        """Set the times of a job accepted at ``now``.

        Returns:
            Whether this job's limit is the earliest of all, so that the alarm has to be set to :attr:`due_at` anew.
        """
        soft = NEVER if job.soft_timeout is None else now + job.soft_timeout
        hard = NEVER if job.timeout is None else now + job.timeout
        job.deadline = None if job.timeout is None else hard
        job.limit_at = when = min(hard, soft)
        return when < self.due_at and self.expect(when)

    def expect(self, when: float) -> bool:
        """Note that a limit is due at ``when``; returns whether it is the earliest."""
        if when >= self.due_at:
            return False
        self.due_at = when
        return True

    def begin_look(self) -> None:
        """Say that all jobs will be looked at, before listing them.

        A job that is accepted from now on either is in that list or finds no earlier limit than its own and sets the
        alarm itself: none falls between.
        """
        self.due_at = NEVER

    def due(self, jobs: Iterable[Job], now: float) -> list[Job]:
        """The jobs of which a limit is due at ``now``; :attr:`due_at` becomes the earliest of the others."""
        late = []
        for job in jobs:
            if job.limit_at <= now:
                late.append(job)
            else:
                self.expect(job.limit_at)
        return late


def soft_error(job: Job) -> SoftTimeLimitExceeded:
    """The exception that a job's soft limit raises in it."""
    return job.pool.options.soft_error(f"{job} passed its soft time limit of {job.soft_timeout} s")


def hard_error(job: Job, stack: str = "") -> TimeLimitExceeded:
    """The outcome of a job whose hard limit passed while it stood at ``stack``."""
    return TimeLimitExceeded(f"{job} passed its time limit of {job.timeout} s", seconds=job.timeout, stack=stack)


def passed(job: Job, error: BaseException | None, now: float) -> BaseException | None:
    """The limit that a job which ended at ``now``, with ``error`` or by returning, had passed by then, as its outcome.

    A limit may pass without the pool getting a word in: because the job held the hub, or computed in C. Such a job
    does not end as a success.
    """
    if job.deadline is not None and now >= job.deadline:
        return hard_error(job)
    if error is None and job.soft_timeout is not None and not job.soft_raised:
        assert job.accepted_at is not None
        if now >= job.accepted_at + job.soft_timeout:
            return soft_error(job)
    return error


def stack_of(frame: FrameType | None, below: CodeType) -> str:
    """The stack at ``frame`` as text, of what lies above the frame that runs ``below`` (that of the pool itself)."""
    frames: list[FrameType] = []
    while frame is not None and frame.f_code is not below:
        frames.append(frame)
        frame = frame.f_back
    summary = traceback.StackSummary.extract((f, f.f_lineno) for f in reversed(frames))
    return "".join(summary.format())
