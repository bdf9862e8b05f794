"""An event for greenlets and threads alike: those of green libraries are for one thread, or for threads with a hub."""

from __future__ import annotations

import abc
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from greenlet import getcurrent, greenlet

from pools.watchdog import Lock


class HubCalls(Protocol):
    """The calls that one hub is asked to make, in its own greenlet."""

    def add(self, fn: Callable[..., object]) -> bool:
        """Have the hub call ``fn()``, soon. Any thread may ask."""

    def kept(self) -> AbstractContextManager[None]:
        """Have it take calls inside the ``with`` block. On the hub's thread."""

    def switch(self) -> object:
        """Let the hub run until somebody switches back. In a greenlet of the hub's thread."""

    def set_timer(self, seconds: float | None, fn: Callable[[], object]) -> Callable[[], object]:
        """Have the hub call ``fn()`` in so many seconds, and wait for that; with None it only waits.

        Returns:
            What ends that; nothing happens if it is called later, or again.
        """


class Waiter(Protocol):
    """One who waits for an event."""

    def wake(self) -> None:
        """End the waiting. Called once, from any thread."""

    def wait(self, timeout: float | None) -> None:
        """Wait to be woken, for ``timeout`` seconds at the most."""


class GreenEvent(abc.ABC):
    """What anyone waits on and anyone sets, greenlet or thread.

    A greenlet waits in its hub, so that others run meanwhile; whoever waits where no hub is has the thread wait.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: deque[Waiter] = deque()

    @staticmethod
    @abc.abstractmethod
    def new_lock() -> Lock:
        """Make a lock as it is without the patch."""

    @abc.abstractmethod
    def calls_here(self) -> HubCalls | None:
        """The calls of the hub in which the caller is to wait; None if its thread is to wait."""

    def set(self) -> None:
        """Wake who waits, now or later."""
        self._is_set = True
        while True:
            try:
                waiter = self._waiters.popleft()
            except IndexError:
                return
            waiter.wake()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set, or for ``timeout`` seconds; returns whether it was set."""
        if not self._is_set:
            calls = self.calls_here()
            if calls is None:
                self._wait_as(_ThreadWaiter(self.new_lock()), timeout)
            else:
                with calls.kept():
                    self._wait_as(_GreenletWaiter(calls), timeout)
        return self._is_set

    def _wait_as(self, waiter: Waiter, timeout: float | None) -> None:
        self._waiters.append(waiter)
        try:
            # Who set it before the line above has woken nobody.
            if not self._is_set:
                waiter.wait(timeout)
        finally:
            with contextlib.suppress(ValueError):  # it was woken
                self._waiters.remove(waiter)


class _ThreadWaiter:
    """A thread that waits."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._lock.acquire()

    def wake(self) -> None:
        self._lock.release()

    def wait(self, timeout: float | None) -> None:
        self._lock.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), threading.TIMEOUT_MAX))


class _GreenletWaiter:
    """A greenlet that waits in its hub; whatever else switches to it meanwhile does not end that."""

    def __init__(self, calls: HubCalls) -> None:
        self._calls = calls
        self._over = False
        #: The greenlet, while it waits: a call of :meth:`_switch` that comes later switches to nothing.
        self._greenlet: greenlet | None = None

    def wake(self) -> None:
        self._calls.add(self._switch)

    def wait(self, timeout: float | None) -> None:
        end_timer = self._calls.set_timer(None if timeout is None else max(0.0, timeout), self._switch)
        self._greenlet = getcurrent()
        try:
            while not self._over:
                self._calls.switch()
        finally:
            self._greenlet = None
            end_timer()

    def _switch(self) -> None:
        self._over = True
        if self._greenlet is not None:
            self._greenlet.switch()
