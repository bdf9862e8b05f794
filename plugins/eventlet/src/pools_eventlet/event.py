"""An event for greenlets and threads: eventlet's own is for one thread and one use, threading's is not green."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any, Protocol

from greenlet import getcurrent, greenlet

from pools_eventlet.calls import HubCalls, calls_here
from pools_eventlet.library import patcher

_thread = patcher.original("_thread")


class Waiter(Protocol):
    """One who waits for an event."""

    def wake(self) -> None:
        """End the waiting. Called once, from any thread."""

    def wait(self, timeout: float | None) -> None:
        """Wait to be woken, for ``timeout`` seconds at the most."""


class Event:
    """What anyone waits on and anyone sets, greenlet or thread.

    A greenlet in a thread whose hub runs a pool of this kind waits in that hub, so that others run meanwhile; whoever
    waits elsewhere has the thread wait.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: deque[Waiter] = deque()

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
            calls = calls_here()
            if calls is None:
                self._wait_as(_ThreadWaiter(), timeout)
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

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def wake(self) -> None:
        self._lock.release()

    def wait(self, timeout: float | None) -> None:
        self._lock.acquire(timeout=-1 if timeout is None else min(max(0.0, timeout), _thread.TIMEOUT_MAX))


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
        hub: Any = self._calls.hub
        timer = None if timeout is None else hub.schedule_call_global(max(0.0, timeout), self._switch)
        self._greenlet = getcurrent()
        try:
            while not self._over:
                hub.switch()
        finally:
            self._greenlet = None
            if timer is not None:
                timer.cancel()

    def _switch(self) -> None:
        self._over = True
        if self._greenlet is not None:
            self._greenlet.switch()
