"""Celery workers on pools: what Celery asks of a worker pool, done by any pool of pools.

:data:`TaskPool` is the class that Celery is given, by ``CELERY_CUSTOM_WORKER_POOL=pools_celery:TaskPool`` and
``-P custom``, or by ``app.conf.worker_pool = "pools_celery:TaskPool"``: for the pool that is configured for pools
(``POOLS_POOL``, ``[tool.pools]``, else the default).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pools_celery.taskpool import TaskPool

__all__ = ["TaskPool"]


def __getattr__(name: str) -> object:
    if name != "TaskPool":
        raise AttributeError(f"module 'pools_celery' has no attribute {name!r}")
    # Celery asks for the class by -P custom before it imports anything that a patch must precede.
    from pools_celery.choice import configured

    return configured()
