"""Pools whose jobs run in a ``TaskPool`` of the kind that Celery's worker has: one that was written for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from pools.job import Job
from pools.pool import BasePool


@runtime_checkable
class TaskPool(Protocol):
    """What is asked of one: a part of ``celery.concurrency.base.BasePool``."""

    is_green: bool
    limit: int | None

    @property
    def active(self) -> bool:
        """Whether it was started and not stopped."""

    def start(self) -> None:
        """Start its workers."""

    def stop(self) -> None:
        """Finish what it was given, and end its workers."""

    def apply_async(
        self, target: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Any:
        """Have a worker call the target."""


def jobs_stay_here(task_pool: TaskPool) -> bool:
    """Whether a ``TaskPool`` says that its jobs run in this process."""
    return task_pool.is_green or bool(getattr(task_pool, "body_can_be_buffer", False))


class TaskPoolPool(BasePool):
    """Jobs run in a ``TaskPool``, in this process. One that was not started is started with the pool.

    Celery's has no outcome for what a call raises; but what it is given here is a job, which has its own.
    """

    task_pool: TaskPool
    #: Whether the ``TaskPool`` is stopped when the pool stops.
    shuts_down = False

    def on_start(self) -> None:
        if not self.task_pool.active:
            self.task_pool.start()

    def on_apply(self, job: Job) -> None:
        self.task_pool.apply_async(job.run, callback=_ignore)

    def on_stop(self) -> None:
        if self.shuts_down:
            self.task_pool.stop()


def _ignore(_: object) -> None:
    """The callback, which has to be one."""
