"""``multiprocessing.Pool`` and ``billiard.Pool``, which have one interface."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from benchmarks.contender import nothing
from benchmarks.peers.processes import Processes


class Multiprocessing(Processes):
    """``Pool.apply_async`` with a callback for the value."""

    library = "multiprocessing"

    def __init__(self, pool: str, concurrency: int) -> None:
        self.pool: Any = importlib.import_module(self.library).Pool(concurrency)
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
        self.pool.join()


class Billiard(Multiprocessing):
    """The same of Celery's fork of the library."""

    library = "billiard"
