"""``multiprocessing.pool.ThreadPool``."""

from __future__ import annotations

from multiprocessing.pool import ThreadPool
from typing import Any

from benchmarks.contender import Contender, nothing


class ApplyAsync(Contender):
    """``ThreadPool.apply_async`` with a callback for the value."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool = ThreadPool(concurrency)

    def flood(self, jobs: int) -> int:
        values: list[Any] = []
        apply_async, callback = self.pool.apply_async, values.append
        results = [apply_async(nothing, callback=callback) for _ in range(jobs)]
        # Not by close() and join(), which look for the end of the threads ten times a second.
        for result in results:
            result.wait()
        return len(values)

    def lone(self) -> None:
        self.pool.apply_async(nothing).get()

    def close(self) -> None:
        self.pool.terminate()
