"""What pools is told of Celery: a command, and what a child process does at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pools.hooks import hookimpl

if TYPE_CHECKING:
    from pools.pool import BasePool


@hookimpl
def pools_commands(group: Any) -> None:
    """Add ``pools worker``."""
    group.add_lazy_command("worker", "pools_celery.worker:worker", "Run a Celery worker on a pool.")


@hookimpl
def pools_child_exiting(pool: BasePool) -> None:
    """Tell the tasks of a child that it exits, if it is a worker's."""
    child = sys.modules.get("pools_celery.child")
    if child is not None:
        child.leave()
