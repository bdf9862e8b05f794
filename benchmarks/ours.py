"""Our pools, through the public surface."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import pools
from benchmarks.contender import Contender, echo, nothing, on_accept

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

    def echoes(self, value: Any, jobs: int) -> None:
        for job in [self.pool.apply_async(echo, (value,)) for _ in range(jobs)]:
            job.result()

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


class OnHub(Ours):
    """The same, driven by kombu's hub in the calling thread."""

    def __init__(self, pool: str, concurrency: int) -> None:
        from kombu.asynchronous import Hub

        super().__init__(pool, concurrency)
        self.hub = Hub()
        self.pool.register_with_event_loop(self.hub)

    def lone(self) -> None:
        ended: list[Any] = []
        self.pool.apply_async(nothing, callback=ended.append)
        run_once = self.hub.run_once
        while not ended:
            run_once()


class OnAsyncio(Ours):
    """The same, driven by a loop of asyncio in the calling thread, whose callbacks give the next job."""

    def __init__(self, pool: str, concurrency: int) -> None:
        super().__init__(pool, concurrency)
        self.loop = asyncio.new_event_loop()
        self.pool.register_with_event_loop(self.loop)

    def lones(self, jobs: int) -> list[float]:
        times: list[float] = []

        def give(_: object = None) -> None:
            times.append(time.perf_counter())
            if len(times) <= jobs:
                self.pool.apply_async(nothing, callback=give)
            else:
                self.loop.stop()

        self.loop.call_soon(give)
        self.loop.run_forever()
        return [end - begin for begin, end in itertools.pairwise(times)]

    def close(self) -> None:
        super().close()
        self.loop.close()
