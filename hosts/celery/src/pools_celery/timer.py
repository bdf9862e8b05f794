"""The timer of a worker that has no event loop: for ETAs, rate limits and heartbeats."""

from __future__ import annotations

from typing import Any, ClassVar

from kombu.asynchronous import timer as kombu_timer

from pools import timer
from pools.pool import BasePool


class Timer(kombu_timer.Timer):  # type: ignore[misc]  # kombu has no types
    """Kombu's timer, of which the pool's own kind of timer makes the calls: in a greenlet each, or in one thread."""

    pool_class: ClassVar[type[BasePool]]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._calls = self.pool_class.new_timer()
        self._scheduled: dict[Any, tuple[kombu_timer.scheduled, timer.Entry]] = {}

    def _enter(self, eta: float, priority: int, entry: Any) -> Any:
        call = self._calls.call_at(eta, self._make, (entry,))
        self._scheduled[entry] = kombu_timer.scheduled(eta, priority, entry), call
        return entry

    def _make(self, entry: Any) -> None:
        self._scheduled.pop(entry, None)
        if not entry.canceled:
            self.apply_entry(entry)

    @property
    def queue(self) -> list[Any]:
        """What is scheduled, in the order of its time."""
        waiting = [scheduled for scheduled, _ in list(self._scheduled.values()) if not scheduled.entry.canceled]
        return sorted(waiting, key=lambda scheduled: float(scheduled.eta))

    def cancel(self, tref: Any) -> None:
        """Do not make a call."""
        tref.cancel()
        if scheduled := self._scheduled.pop(tref, None):
            self._calls.cancel(scheduled[1])

    def clear(self) -> None:
        """Make no call that is scheduled."""
        for entry in list(self._scheduled):
            self.cancel(entry)

    def stop(self) -> None:
        """Make no call any more."""
        self.clear()
        self._calls.stop()


def timer_of(pool_class: type[BasePool]) -> type[Timer]:
    """The timer for workers on this kind of pool."""
    return type("Timer", (Timer,), {"pool_class": pool_class, "__doc__": Timer.__doc__})
