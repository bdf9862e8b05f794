"""Backpressure: how many unfinished jobs a pool takes before ``apply_async`` blocks or refuses."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol


class Event(Protocol):
    """What callers of a pool wait on; each kind of pool makes its own (``BasePool.new_event``)."""

    def set(self) -> None:
        """Wake who waits, now or later."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set, or for ``timeout`` seconds; returns whether it was set."""


class Permits:
    """One permit for each job that may be unfinished at once: ``concurrency + max_queued`` of them.

    A permit is taken by ``apply_async`` and given back when the job has its outcome, whatever that is.
    """

    __slots__ = ("_debt", "_free", "_new_event", "_waiters")

    def __init__(self, count: int, new_event: Callable[[], Event]) -> None:
        self._free: deque[None] = deque([None] * count)
        self._debt: deque[None] = deque()
        self._waiters: deque[Event] = deque()
        self._new_event = new_event

    def try_acquire(self) -> bool:
        """Take a permit if there is one."""
        try:
            self._free.pop()
        except IndexError:
            return False
        return True

    def acquire(self, give_up: Callable[[], bool]) -> bool:
        """Take a permit, waiting for one as long as ``give_up()`` is false (:meth:`wake_all` has it asked again).

        Returns:
            Whether a permit was taken.
        """
        taken = self.try_acquire()
        while not taken and not give_up():
            event = self._new_event()
            self._waiters.append(event)
            # A permit that came back before the line above woke nobody, so look once more before waiting.
            if not self._free and not give_up():
                event.wait()
            self._forget(event)
            taken = self.try_acquire()
        # Whoever leaves passes on what it does not need: the wake-up it got may have been meant for two.
        if self._free:
            self._wake()
        return taken

    def release(self) -> None:
        """Give a permit back, and wake one who waits."""
        try:
            self._debt.pop()
        except IndexError:
            self._free.append(None)
            self._wake()

    def resize(self, change: int) -> None:
        """Add ``change`` permits, or, if it is negative, withdraw as many, from the jobs that hold them if need be."""
        for _ in range(change):
            self.release()
        for _ in range(-change):
            if not self.try_acquire():
                self._debt.append(None)

    def wake_all(self) -> None:
        """Have everyone who waits look again."""
        while self._waiters:
            self._wake()

    def _forget(self, event: Event) -> None:
        with contextlib.suppress(ValueError):  # it was woken, and so is not there any more
            self._waiters.remove(event)

    def _wake(self) -> None:
        with contextlib.suppress(IndexError):  # nobody waits
            self._waiters.popleft().set()
