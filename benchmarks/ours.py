"""Our pools, through the public surface."""

from __future__ import annotations

from typing import Any

import pools
from benchmarks.contender import Contender, nothing, on_accept

#: Limits that no job passes, in seconds.
SOFT_TIMEOUT = 60.0
TIMEOUT = 100.0


class Ours(Contender):
    """A pool by name, each job with the callbacks for its value and its acceptance."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool = pools.open(pool, concurrency)

    def flood(self, jobs: int) -> int:
        values: list[Any] = []
        self.give(jobs, values)
        self.pool.join()
        return len(values)

    def give(self, jobs: int, values: list[Any]) -> None:
        """Give the jobs, whose values go to ``values``."""
        apply_async, callback = self.pool.apply_async, values.append
        for _ in range(jobs):
            apply_async(nothing, callback=callback, accept_callback=on_accept)

    def lone(self) -> None:
        self.pool.apply_async(nothing).result()

    def close(self) -> None:
        self.pool.stop()


class Limited(Ours):
    """The same with a soft and a hard limit on every job."""

    def give(self, jobs: int, values: list[Any]) -> None:
        apply_async, callback = self.pool.apply_async, values.append
        for _ in range(jobs):
            apply_async(
                nothing, callback=callback, accept_callback=on_accept, soft_timeout=SOFT_TIMEOUT, timeout=TIMEOUT
            )
