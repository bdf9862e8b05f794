"""Celery's own pools, driven by their ``apply_async`` without a worker around them."""

from __future__ import annotations

from typing import Any

from celery.concurrency import get_implementation

from benchmarks.contender import Contender, nothing, on_accept


class TaskPool(Contender):
    """A pool by its name in Celery, each job with the callbacks for its value and its acceptance."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool: Any = get_implementation(pool)(concurrency)
        self.pool.start()

    def flood(self, jobs: int) -> int:
        values: list[Any] = []
        apply_async, callback = self.pool.apply_async, values.append
        for _ in range(jobs):
            apply_async(nothing, (), {}, callback=callback, accept_callback=on_accept)
        self.drain()
        return len(values)

    def give(self) -> Any:
        """Give one job that does nothing; returns what Celery returns for it."""
        return self.pool.apply_async(nothing, (), {}, callback=id, accept_callback=on_accept)

    def drain(self) -> None:
        """Wait until all jobs have ended."""
        self.pool.stop()

    def close(self) -> None:
        self.pool.stop()


class Solo(TaskPool):
    """``celery.concurrency.solo``, whose jobs have ended when ``apply_async`` returns."""

    def lone(self) -> None:
        self.give()


class Threads(TaskPool):
    """``celery.concurrency.thread``."""

    def drain(self) -> None:
        # stop() would cancel what waits.
        self.pool.executor.shutdown()

    def lone(self) -> None:
        self.give().get()


class Gevent(TaskPool):
    """``celery.concurrency.gevent``."""

    def lone(self) -> None:
        self.give().get()


class Eventlet(TaskPool):
    """``celery.concurrency.eventlet``, which returns nothing to wait for."""

    def lone(self) -> None:
        from eventlet.event import Event

        outcome = Event()
        self.pool.apply_async(nothing, (), {}, callback=outcome.send, accept_callback=on_accept)
        outcome.wait()
