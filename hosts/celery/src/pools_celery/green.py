"""TaskPool for pools of greenlets: what Celery asks of these alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pools.green import GreenPool
from pools_celery.taskpool import TaskPool


class GreenTaskPool(TaskPool):
    """A worker pool of greenlets: Celery's own loop runs in one, and what controls the worker in another."""

    is_green = True
    task_join_will_block = False
    _pool: GreenPool

    def spawn_n(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` in a greenlet of its own."""
        self._pool.spawn(fn, *args)

    def defer(self, fn: Callable[[], object]) -> None:
        self._pool.spawn(fn)
