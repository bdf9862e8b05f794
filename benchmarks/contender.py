"""Contender: what a case needs of whatever runs jobs, ours or a peer."""

from __future__ import annotations

import abc
import time
from typing import Any

#: Bytes of what is echoed.
PAYLOAD = 1 << 20


def nothing() -> None:
    """The job of every measurement."""


def on_accept(slot_id: int, accepted_at: float) -> None:
    """The accept callback of every measurement."""


def echo(value: Any) -> Any:
    """The job of an echo."""
    return value


def payload(kind: str) -> Any:
    """Make something of :data:`PAYLOAD` bytes: ``"bytes"``, ``"bytearray"``, or a ``"numpy"`` array."""
    if kind == "numpy":
        import numpy

        return numpy.frombuffer(bytes(PAYLOAD), "uint8").copy()
    return {"bytes": bytes, "bytearray": bytearray}[kind](PAYLOAD)


class Contender(abc.ABC):
    """One open pool.

    Each contender has loops of its own, so that none pays for an adapter between it and the case.

    Args:
        pool: Which of the pools of this kind.
        concurrency: How many jobs it may run at once.
    """

    @abc.abstractmethod
    def __init__(self, pool: str, concurrency: int) -> None: ...

    @abc.abstractmethod
    def flood(self, jobs: int) -> int:
        """Give so many jobs that do nothing, and return when all have ended; called once.

        Returns:
            How many outcomes were reported, or ``jobs`` if this contender reports none.
        """

    def lone(self) -> None:
        """Give one job that does nothing, and return when its outcome is known here."""
        raise NotImplementedError(f"{type(self).__qualname__} reports no outcome")

    def lones(self, jobs: int) -> list[float]:
        """Give so many lone jobs, each after the outcome of the one before; returns the seconds of each."""
        samples = []
        for _ in range(jobs):
            begun = time.perf_counter()
            self.lone()
            samples.append(time.perf_counter() - begun)
        return samples

    def echoes(self, value: Any, jobs: int) -> None:
        """Give so many jobs that return what they are given, and return when the values of all are here."""
        raise NotImplementedError(f"{type(self).__qualname__} moves no payload")

    @abc.abstractmethod
    def close(self) -> None:
        """End what it started."""
