"""Calls that any thread asks a hub to make.

gevent's own way to ask, ``loop.run_callback_threadsafe``, has the asking thread change the number of things that keep
the loop going, which the loop itself changes at the same time without Python's lock. Under load the number comes out
wrong; once it is too low, every wait in that hub ends in ``LoopExit``.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from gevent import monkey
from gevent.hub import Hub

#: Seconds for which a timer is set while a greenlet waits: a hub without one says that nobody can wake it, and
#: knows nothing of other threads.
_A_WHILE = 3600.0

_get_ident = monkey.get_original("_thread", "get_ident")
_of_thread = monkey.get_original("_thread", "_local")()


class HubCalls:
    """The calls that one hub is asked to make, in its own greenlet, for as long as anyone keeps it (:meth:`keep`).

    Attributes:
        hub: The hub.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._thread = _get_ident()
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._keepers = 0
        # What other threads may do to a loop is to send; that it can be sent to is nothing that a hub waits for.
        self._watcher = hub.loop.async_(ref=False)
        # Guards the watcher. A native lock, which no greenlet switch happens under, and a reentrant one, so that a
        # signal handler may ask for a call while the thread that it interrupts does.
        self._lock = monkey.get_original("_thread", "RLock")()

    def add(self, fn: Callable[..., object], *args: Any) -> bool:
        """Have the hub call ``fn(*args)``, soon. Any thread may ask.

        Returns:
            Whether it will; False if nobody keeps it, and the hub's thread is another one.
        """
        if _get_ident() == self._thread:
            self.hub.loop.run_callback(fn, *args)
            return True
        with self._lock:
            if not self._keepers:
                return False
            self._calls.append((fn, args))
            self._watcher.send()
            return True

    def keep(self) -> None:
        """Keep it, until :meth:`release`. On the hub's thread."""
        with self._lock:
            self._keepers += 1
            if self._keepers == 1:
                self._watcher.start(self._hand_over)

    def release(self) -> None:
        """End what :meth:`keep` began. On the hub's thread."""
        with self._lock:
            self._keepers -= 1
            if self._keepers:
                return
            self._watcher.stop()
        self._hand_over()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep it inside the ``with`` block. On the hub's thread."""
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
        timer = self.hub.loop.timer(_A_WHILE, _A_WHILE) if seconds is None else self.hub.loop.timer(seconds)

        def end() -> None:
            timer.stop()
            timer.close()

        def ring() -> None:
            if seconds is not None:
                end()
                fn()

        # From now, and not from when the loop last looked at the clock.
        timer.start(ring, update=True)
        return end

    def _hand_over(self) -> None:
        """Let the loop make the calls, in turn with whatever else it has to call."""
        # As many as there are now: whoever adds one later sends again.
        for _ in range(len(self._calls)):
            fn, args = self._calls.popleft()
            self.hub.loop.run_callback(fn, *args)


def calls_of_hub() -> HubCalls:
    """The calls of the hub of this thread."""
    hub = gevent.get_hub()
    calls: HubCalls | None = getattr(_of_thread, "calls", None)
    if calls is None or calls.hub is not hub:
        calls = _of_thread.calls = HubCalls(hub)
    return calls
