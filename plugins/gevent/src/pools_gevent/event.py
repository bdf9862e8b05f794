"""An event for greenlets and threads: gevent's own is for threads with a hub that has something else to wait for."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent.event
from gevent import monkey
from gevent.hub import Hub
from greenlet import getcurrent

_allocate_lock = monkey.get_original("_thread", "allocate_lock")

#: Seconds for which a timer is set while a greenlet waits: a hub without one says that nobody can wake it, and
#: knows nothing of other threads.
_A_WHILE = 3600.0


class Event:
    """What anyone waits on and anyone sets, greenlet or thread.

    A greenlet waits in its hub, so that others run meanwhile; a thread without a hub waits as threads do.

    Args:
        on_hub_thread: Returns whether the calling code runs on the thread of the pool's hub.
    """

    def __init__(self, on_hub_thread: Callable[[], bool]) -> None:
        self._on_hub_thread = on_hub_thread
        self._event = gevent.event.Event()
        #: One lock for each thread that waits; releasing it wakes the thread.
        self._threads: deque[Any] = deque()

    def set(self) -> None:
        """Wake who waits, now or later."""
        self._event.set()
        while True:
            try:
                lock = self._threads.popleft()
            except IndexError:
                return
            lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set, or for ``timeout`` seconds; returns whether it was set."""
        if self._event.is_set():
            return True
        if not self._on_hub_thread() and not isinstance(getcurrent().parent, Hub):
            return self._wait_as_thread(timeout)
        if timeout is not None:
            return bool(self._event.wait(timeout))
        while not self._event.wait(_A_WHILE):
            pass
        return True

    def _wait_as_thread(self, timeout: float | None) -> bool:
        lock = _allocate_lock()
        lock.acquire()
        self._threads.append(lock)
        # Who set it before the line above has woken nobody.
        if not self._event.is_set():
            lock.acquire(timeout=-1 if timeout is None else max(0.0, timeout))
        with contextlib.suppress(ValueError):  # it was woken
            self._threads.remove(lock)
        return bool(self._event.is_set())
