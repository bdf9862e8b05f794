"""An event for greenlets and threads: gevent's own is for threads with a hub that has something else to wait for."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Protocol

from gevent import monkey
from gevent.hub import Hub
from greenlet import getcurrent, greenlet

from pools_gevent.calls import HubCalls, calls_of_hub

_allocate_lock = monkey.get_original("_thread", "allocate_lock")

#: Seconds for which a timer is set while a greenlet waits: a hub without one says that nobody can wake it, and
#: knows nothing of other threads.
_A_WHILE = 3600.0


class Waiter(Protocol):
    """One who waits for an event."""

    def wake(self) -> None:
        """End the waiting. Called once, from any thread."""

    def wait(self, timeout: float | None) -> None:
        """Wait to be woken, for ``timeout`` seconds at the most."""


class Event:
    """What anyone waits on and anyone sets, greenlet or thread.

    A greenlet waits in its hub, so that others run meanwhile; a thread without a hub waits as threads do.

    Args:
        on_hub_thread: Returns whether the calling code runs on the thread of the pool's hub.
    """

    def __init__(self, on_hub_thread: Callable[[], bool]) -> None:
        self._on_hub_thread = on_hub_thread
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
            if self._on_hub_thread() or isinstance(getcurrent().parent, Hub):
                calls = calls_of_hub()
                with calls.kept():
                    self._wait_as(_GreenletWaiter(calls), timeout)
            else:
                self._wait_as(_ThreadWaiter(), timeout)
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
        self._lock = _allocate_lock()
        self._lock.acquire()

    def wake(self) -> None:
        self._lock.release()

    def wait(self, timeout: float | None) -> None:
        self._lock.acquire(timeout=-1 if timeout is None else max(0.0, timeout))


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
        hub = self._calls.hub
        timer = hub.loop.timer(_A_WHILE, _A_WHILE) if timeout is None else hub.loop.timer(max(0.0, timeout))
        timer.start(_go_on if timeout is None else self._switch, update=True)
        self._greenlet = getcurrent()
        try:
            while not self._over:
                hub.switch()
        finally:
            self._greenlet = None
            timer.stop()
            timer.close()

    def _switch(self) -> None:
        self._over = True
        if self._greenlet is not None:
            self._greenlet.switch()


def _go_on() -> None:
    """What the timer of a greenlet calls that waits for as long as it takes."""
