"""What Celery asks of a worker pool when it makes one, as the options of a pool of ours."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from pools.pool import BasePool
from pools_celery import child
from pools_celery.errors import SoftTimeLimitExceeded

log = logging.getLogger(__name__)

#: Options of pools of processes, by the names of Celery's: how children start, and when they are replaced.
_OF_PROCESSES = {"maxtasksperchild": "max_tasks_per_child", "max_memory_per_child": "max_memory_per_child"}

#: Seconds that a child has to come up at the least: Celery's default is short for one that imports the application.
_ALIVE_SECONDS = 10.0


def starts_processes(pool: type[BasePool]) -> bool:
    """Whether a pool's slots are processes that it starts."""
    return "start_method" in _fields(pool)


def concurrency(pool: type[BasePool], limit: int | None) -> int:
    """How many slots a pool gets of which Celery wants ``limit``: at least one, and no more than it can have."""
    most = pool.traits.max_concurrency
    return max(1, min(limit or 1, most or limit or 1))


def options(pool: type[BasePool], asked: Mapping[str, Any], app: Any, forking: bool) -> dict[str, Any]:
    """The options of a pool.

    Args:
        pool: Its class.
        asked: What Celery asked for.
        app: The application.
        forking: Whether children are to be forks of the worker.
    """
    found: dict[str, Any] = {"timeout": asked.get("timeout"), "soft_timeout": asked.get("soft_timeout")}
    fields = _fields(pool)
    for theirs, ours in _OF_PROCESSES.items():
        value = asked.get(theirs)
        if value and ours in fields:
            found[ours] = value
        elif value:
            log.warning("pool %s has no children to replace: worker_%s=%s has no effect", pool.name, ours, value)
    if pool.traits.soft_timeout:
        found["soft_error"] = SoftTimeLimitExceeded
    if starts_processes(pool):
        found["start_method"] = "fork" if forking else "spawn"
        _, hostname = asked["initargs"]
        found["initializer"] = child.initialize
        found["initargs"] = (app, hostname, not forking)
        if app is not None:
            found["proc_alive_timeout"] = max(_ALIVE_SECONDS, app.conf.worker_proc_alive_timeout or 0.0)
    return {option: value for option, value in found.items() if value is not None}


def _fields(pool: type[BasePool]) -> set[str]:
    return {field.name for field in dataclasses.fields(pool.options_class)}
