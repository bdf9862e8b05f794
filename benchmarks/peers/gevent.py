"""``gevent.pool.Pool`` as it is."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.pool import Pool

from benchmarks.contender import Contender, nothing


class Spawn(Contender):
    """``Pool.spawn``, the fastest way; nothing is reported."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool = Pool(concurrency)

    def flood(self, jobs: int) -> int:
        spawn = self.pool.spawn
        for _ in range(jobs):
            spawn(nothing)
        self.pool.join()
        return jobs

    def lone(self) -> None:
        self.pool.spawn(nothing).get()

    def close(self) -> None:
        self.pool.kill()


class ApplyAsync(Spawn):
    """``Pool.apply_async`` with a callback for the value."""

    def flood(self, jobs: int) -> int:
        values: list[Any] = []
        apply_async, callback = self.pool.apply_async, values.append
        for _ in range(jobs):
            apply_async(nothing, callback=callback)
        # Not by join(): a pool that is full has jobs wait in greenlets of which it does not know.
        gevent.idle()
        return len(values)

    def lone(self) -> None:
        self.pool.apply_async(nothing).get()
