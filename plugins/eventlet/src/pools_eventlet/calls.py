"""Calls that any thread asks a hub to make: eventlet's own hubs can be asked by their own thread alone."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from pools_eventlet.library import hubs, patcher

#: Seconds of calls after which the hub looks at its descriptors and timers before it makes further ones.
SLICE = 0.01

_threading = patcher.original("threading")
_of_thread = _threading.local()


class HubCalls:
    """The calls that one hub is asked to make, in its own greenlet.

    A descriptor (an eventfd) has the hub notice; it is open for as long as anyone keeps it (:meth:`keep`). The calls
    are made by a timer of the hub, so never between the moment when the hub found a descriptor ready and the moment
    when it wakes the greenlet that waits for it: an exception thrown into that greenlet by one of these calls would be
    followed by a wake-up that belongs to nothing.

    Attributes:
        hub: The hub.
    """

    def __init__(self, hub: Any) -> None:
        self.hub = hub
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._keepers = 0
        self._descriptor: int | None = None
        self._listener: Any = None
        #: Whether the timer that makes the calls is set.
        self._scheduled = False
        # Guards the descriptor. A native lock, which no greenlet switch happens under, and a reentrant one, so that a
        # signal handler may ask for a call while the thread that it interrupts does.
        self._lock = _threading.RLock()

    def add(self, fn: Callable[..., object], *args: Any) -> bool:
        """Have the hub call ``fn(*args)``, soon. Any thread and any signal handler may ask.

        Returns:
            Whether it will; False if nobody keeps it open.
        """
        with self._lock:
            if self._descriptor is None:
                return False
            self._calls.append((fn, args))
            os.eventfd_write(self._descriptor, 1)
            return True

    def keep(self) -> None:
        """Keep it open, until :meth:`release`. On the hub's thread."""
        self._keepers += 1
        if self._keepers == 1:
            descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._listener = self.hub.add(hubs.hub.READ, descriptor, self._on_readable, _ignore, None)
            self._descriptor = descriptor

    def release(self) -> None:
        """End what :meth:`keep` began; the last to do so closes the descriptor. On the hub's thread."""
        self._keepers -= 1
        if self._keepers:
            return
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
        assert descriptor is not None
        self.hub.remove(self._listener)
        os.close(descriptor)
        if self._calls:
            self._schedule()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep it open inside the ``with`` block. On the hub's thread."""
        self.keep()
        try:
            yield
        finally:
            self.release()

    def switch(self) -> object:
        """See :meth:`pools.green_event.HubCalls.switch`."""
        return self.hub.switch()

    def set_timer(self, seconds: float | None, fn: Callable[[], object]) -> Callable[[], object]:
        """See :meth:`pools.green_event.HubCalls.set_timer`."""
        if seconds is None:
            return _nothing  # the hub waits for the descriptor
        cancel: Callable[[], object] = self.hub.schedule_call_global(seconds, fn).cancel
        return cancel

    def _on_readable(self, descriptor: int) -> None:
        # In this order, and whether or not there are calls now: those that come until the descriptor is read are made
        # by the timer, and a KeyboardInterrupt in between leaves the descriptor readable.
        self._schedule()
        # The hub may tell of a descriptor that was closed since it looked, its number perhaps used again.
        if descriptor == self._descriptor:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(descriptor)

    def _schedule(self) -> None:
        if not self._scheduled:
            self.hub.schedule_call_global(0, self._make)
            self._scheduled = True

    def _make(self) -> None:
        self._scheduled = False
        slice_ends = monotonic() + SLICE
        try:
            while self._calls and monotonic() < slice_ends:
                fn, args = self._calls.popleft()
                fn(*args)
        finally:
            # Also after an exception, which the hub prints, or hands to the main greenlet if it is meant to end it.
            if self._calls:
                self._schedule()


def _nothing() -> None:
    """What ends a timer that was not set."""


def _ignore(error: BaseException) -> None:
    """What a greenlet that waits for a descriptor would have thrown into it; nobody waits for this one."""


def calls_of_hub() -> HubCalls:
    """The calls of the hub of this thread."""
    hub = hubs.get_hub()
    calls = calls_here()
    if calls is None or calls.hub is not hub:
        calls = _of_thread.calls = HubCalls(hub)
    return calls


def calls_here() -> HubCalls | None:
    """The calls of the hub of this thread, if anyone has asked for them in this thread."""
    calls: HubCalls | None = getattr(_of_thread, "calls", None)
    return calls
