"""Celery's ``AsynPool``, driven by kombu's hub in the calling thread, as a worker drives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.concurrency.asynpool import AsynPool
from kombu.asynchronous import Hub, set_event_loop

from benchmarks.contender import Contender, echo, nothing, on_accept


class OnHub(Contender):
    """``AsynPool.apply_async`` with the callbacks for value and acceptance."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.hub = Hub()
        set_event_loop(self.hub)
        self.pool = AsynPool(processes=concurrency, threads=False)
        self.pool.register_with_event_loop(self.hub)

    def run(self, target: Callable[..., Any], args: tuple[Any, ...], jobs: int) -> int:
        """Give jobs, and turn the hub until all have ended; returns how many values were reported."""
        values: list[Any] = []
        apply_async, callback = self.pool.apply_async, values.append
        for _ in range(jobs):
            apply_async(target, args, {}, callback=callback, accept_callback=on_accept)
        while len(values) < jobs:
            self.hub.run_once()
        return len(values)

    def flood(self, jobs: int) -> int:
        return self.run(nothing, (), jobs)

    def lone(self) -> None:
        self.run(nothing, (), 1)

    def echoes(self, value: Any, jobs: int) -> None:
        self.run(echo, (value,), jobs)

    def close(self) -> None:
        self.pool.terminate()
        self.pool.join()
        self.hub.close()
