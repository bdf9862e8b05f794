"""What the peers with child processes have in common: a way to give a job, and a way to wait for all."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

from benchmarks.contender import Contender, echo, nothing


class Processes(Contender):
    """One open pool of child processes."""

    @abc.abstractmethod
    def give(self, target: Callable[..., Any], args: tuple[Any, ...], callback: Callable[[Any], object]) -> None:
        """Give a job; ``callback`` is called at its outcome."""

    @abc.abstractmethod
    def drain(self) -> None:
        """Return when all that were given have ended."""

    def flood(self, jobs: int) -> int:
        values: list[Any] = []
        give, callback = self.give, values.append
        for _ in range(jobs):
            give(nothing, (), callback)
        self.drain()
        return len(values)

    def echoes(self, value: Any, jobs: int) -> None:
        for _ in range(jobs):
            self.give(echo, (value,), id)
        self.drain()
