"""What the timers of green pools share: each scheduled call runs in a greenlet of its own."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable

from pools.timer import Entry, Timer


class GreenTimer(Timer):
    """A timer whose calls run in greenlets of their own, so that one which waits delays nothing."""

    def __init__(self) -> None:
        #: How to cancel each call that was scheduled and has not ended.
        self._pending: dict[Entry, Callable[[], None]] = {}

    @abc.abstractmethod
    def spawn_after(self, seconds: float, fn: Callable[[], None]) -> Callable[[], None]:
        """Call ``fn()`` in a new greenlet, in so many seconds; returns what cancels it until then."""

    def schedule(self, entry: Entry) -> None:
        self._pending[entry] = self.spawn_after(max(0.0, entry.when - time.monotonic()), lambda: self._make(entry))

    def cancel(self, entry: Entry) -> None:
        super().cancel(entry)
        cancel = self._pending.pop(entry, None)
        if cancel is not None:
            cancel()

    def clear(self) -> None:
        for entry in list(self._pending):
            self.cancel(entry)

    def _make(self, entry: Entry) -> None:
        # A call that was begun is not cut short.
        self._pending[entry] = lambda: None
        if not entry.cancelled:
            entry()
        self._pending.pop(entry, None)
        if entry.interval is not None and not entry.cancelled:
            entry.when = max(entry.when + entry.interval, time.monotonic())
            self.schedule(entry)
