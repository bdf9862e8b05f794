"""``eventlet.GreenPool`` as it is."""

from __future__ import annotations

import eventlet

from benchmarks.contender import Contender, nothing


class Spawn(Contender):
    """``GreenPool.spawn``; nothing is reported until it is waited for."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool = eventlet.GreenPool(concurrency)

    def flood(self, jobs: int) -> int:
        spawn = self.pool.spawn
        for _ in range(jobs):
            spawn(nothing)
        self.pool.waitall()
        return jobs

    def lone(self) -> None:
        self.pool.spawn(nothing).wait()

    def close(self) -> None:
        self.pool.waitall()


class SpawnN(Contender):
    """``GreenPool.spawn_n``, the fastest way; nothing is reported at all."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool = eventlet.GreenPool(concurrency)

    def flood(self, jobs: int) -> int:
        spawn_n = self.pool.spawn_n
        for _ in range(jobs):
            spawn_n(nothing)
        self.pool.waitall()
        return jobs

    def close(self) -> None:
        self.pool.waitall()
