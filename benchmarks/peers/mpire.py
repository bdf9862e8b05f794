"""``mpire.WorkerPool``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpire import WorkerPool

from benchmarks.contender import nothing
from benchmarks.peers.processes import Processes


class ApplyAsync(Processes):
    """``WorkerPool.apply_async`` with a callback for the value."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool = WorkerPool(concurrency)
        self.given: list[Any] = []

    def give(self, target: Callable[..., Any], args: tuple[Any, ...], callback: Callable[[Any], object]) -> None:
        self.given.append(self.pool.apply_async(target, args, callback=callback))

    def drain(self) -> None:
        for result in self.given:
            result.wait()
        self.given.clear()

    def lone(self) -> None:
        self.pool.apply_async(nothing).get()

    def close(self) -> None:
        self.pool.terminate()
