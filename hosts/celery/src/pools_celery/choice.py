"""Which pool a worker runs on, and the class that stands for it before Celery.

Imports nothing of Celery's until the pool's patches are applied.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pools import config, registry
from pools.patching import apply

if TYPE_CHECKING:
    from pools_celery.taskpool import TaskPool

#: The classes that were made, by the names of their pools.
_classes: dict[str, type[TaskPool]] = {}


def configured() -> type[TaskPool]:
    """Return the class for the pool that the command line, the environment or the project names.

    Applies the pool's patches, if there is still time: when the class is asked for before Celery has imported the
    application.

    Raises:
        UsageError: There is no such pool, it cannot be used, or its patches were not applied in time.
    """
    name = config.pool_name() or config.DEFAULT_POOL
    if "celery.app" not in sys.modules:
        registry.patch(name)
    return of(name)


def of(name: str) -> type[TaskPool]:
    """Return the class for a pool.

    Args:
        name: The name of a pool or an alias, or ``"module:Class"``.

    Raises:
        UsageError: There is no such pool, it cannot be used, or its patches were not applied.
    """
    declared = registry.use(name)
    apply.require(declared)
    if name not in _classes:
        from pools_celery.timer import timer_of

        pool = registry.pool_class(name)
        if declared.traits.is_green:
            from pools_celery.green import GreenTaskPool as base
        else:
            from pools_celery.taskpool import TaskPool as base
        # Celery tells its own pools apart by the last word of their modules' names, here and there: it refuses beat
        # beside gevent, has Django's connections closed after each task under prefork, and shows the word.
        names = {"__module__": f"pools_celery.{declared.name}", "__doc__": declared.summary}
        own = {"pool_name": name, "pool_class": pool, "Timer": timer_of(pool)}
        _classes[name] = type("TaskPool", (base,), {**names, **own})
    return _classes[name]
