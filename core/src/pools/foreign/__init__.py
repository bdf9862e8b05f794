"""Pools around what runs calls already and is none of ours: executors, and the ``TaskPool`` of Celery's kind."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, TypeVar

from pools.errors import UnsupportedError, UsageError
from pools.foreign.executors import ExecutorPool, ThreadsExecutorPool, runs_here, workers_of
from pools.foreign.task_pools import TaskPool, TaskPoolPool, jobs_stay_here
from pools.pool import BasePool
from pools.spec import Traits

P = TypeVar("P", ExecutorPool, TaskPoolPool)


def wrap(
    wrapped: Executor | TaskPool,
    *,
    name: str | None = None,
    concurrency: int | None = None,
    shutdown: bool = False,
    **options: Any,
) -> BasePool:
    """Make a pool around an executor, or around a ``TaskPool`` of Celery's kind, and return it running.

    What is wrapped gets no more jobs at once than it has workers, so that a job begins when it is handed over: give it
    to nobody else meanwhile. The traits of the pool are those that can be kept from outside: it can be resized, up to
    the number of workers, and jobs that run in this process see their context.

    Args:
        wrapped: A ``concurrent.futures.Executor``, or a ``TaskPool`` whose jobs run in this process.
        name: What errors and ``info`` call the pool; by default the name of the class of what is wrapped.
        concurrency: How many jobs may run at once; by default as many as there are workers. Needed where what is
            wrapped does not say how many that is.
        shutdown: Whether what is wrapped is shut down when the pool stops, and can be used no more.
        options: The options of :class:`pools.options.PoolOptions`.

    Raises:
        UsageError: It is neither, or nobody says how many workers it has.
        UnsupportedError: It has fewer workers than ``concurrency``, it is a ``TaskPool`` whose jobs run elsewhere, or
            an option cannot be kept from outside.
        ValueError: An option has no meaning.
    """
    kind = type(wrapped).__name__
    if isinstance(wrapped, Executor):
        workers, context, is_green = workers_of(wrapped), runs_here(wrapped), False
    elif isinstance(wrapped, TaskPool):
        if not jobs_stay_here(wrapped):
            raise UnsupportedError(
                f"jobs of {kind} do not run in this process, as far as it says (is_green or body_can_be_buffer): "
                "only those of an Executor can be followed into others"
            )
        workers, context, is_green = wrapped.limit, True, wrapped.is_green
    else:
        raise UsageError(f"{wrapped!r} is neither a concurrent.futures.Executor nor a TaskPool of Celery's kind")
    most = workers or concurrency
    if most is None:
        raise UsageError(f"{kind} does not say how many workers it has: say it by concurrency=N")
    declared = name or kind, Traits(is_green=is_green, resize=True, context=context, max_concurrency=most)
    pool: ExecutorPool | TaskPoolPool
    if isinstance(wrapped, Executor):
        cls = ThreadsExecutorPool if context else ExecutorPool
        pool = _declaring(cls, *declared)(concurrency or most, **options)
        pool.executor = wrapped
    else:
        pool = _declaring(TaskPoolPool, *declared)(concurrency or most, **options)
        pool.task_pool = wrapped
    pool.shuts_down = shutdown
    pool.start()
    return pool


def _declaring(cls: type[P], name: str, traits: Traits) -> type[P]:
    """A class like ``cls`` that declares this name and these traits, which depend on what is wrapped."""
    return type(cls.__name__, (cls,), {"__module__": cls.__module__, "name": name, "traits": traits})
