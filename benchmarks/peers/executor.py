"""``concurrent.futures.ThreadPoolExecutor``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.contender import Contender, nothing


class Submit(Contender):
    """``submit`` with a callback for the future."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.executor = ThreadPoolExecutor(concurrency)

    def flood(self, jobs: int) -> int:
        futures: list[Any] = []
        submit, callback = self.executor.submit, futures.append
        for _ in range(jobs):
            submit(nothing).add_done_callback(callback)
        self.executor.shutdown()
        return len(futures)

    def lone(self) -> None:
        self.executor.submit(nothing).result()

    def close(self) -> None:
        self.executor.shutdown()
