"""Contender: what a case needs of whatever runs jobs, ours or a peer."""

from __future__ import annotations

import abc


def nothing() -> None:
    """The job of every measurement."""


def on_accept(slot_id: int, accepted_at: float) -> None:
    """The accept callback of every measurement."""


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

    @abc.abstractmethod
    def close(self) -> None:
        """End what it started."""
