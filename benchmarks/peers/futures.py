"""Process pools that give futures: ``concurrent.futures``, loky and Pebble."""

from __future__ import annotations

import abc
import concurrent.futures
from collections.abc import Callable
from typing import Any

from benchmarks.contender import nothing
from benchmarks.peers.processes import Processes


class Futures(Processes):
    """A callback is called with the future."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool: Any = self.open(concurrency)
        self.given: list[Any] = []

    @abc.abstractmethod
    def open(self, concurrency: int) -> Any:
        """Open the pool."""

    def submit(self, target: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Give a job; returns its future."""
        return self.pool.submit(target, *args)

    def give(self, target: Callable[..., Any], args: tuple[Any, ...], callback: Callable[[Any], object]) -> None:
        future = self.submit(target, args)
        future.add_done_callback(callback)
        self.given.append(future)

    def drain(self) -> None:
        for future in self.given:
            future.result()
        self.given.clear()

    def lone(self) -> None:
        self.submit(nothing, ()).result()

    def close(self) -> None:
        self.pool.shutdown()


class Executor(Futures):
    """``concurrent.futures.ProcessPoolExecutor``."""

    def open(self, concurrency: int) -> Any:
        return concurrent.futures.ProcessPoolExecutor(concurrency)


class Loky(Futures):
    """``loky.ProcessPoolExecutor``."""

    def open(self, concurrency: int) -> Any:
        import loky

        return loky.ProcessPoolExecutor(concurrency)


class Pebble(Futures):
    """``pebble.ProcessPool``."""

    def open(self, concurrency: int) -> Any:
        import pebble

        return pebble.ProcessPool(concurrency)

    def submit(self, target: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return self.pool.schedule(target, args)

    def close(self) -> None:
        self.pool.close()
        self.pool.join()
