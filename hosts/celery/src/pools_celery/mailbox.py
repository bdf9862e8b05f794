"""What threads bring to the thread of Celery's event loop, in the order in which they bring it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any


class Mailbox:
    """Calls for one thread, which the event loop makes there.

    With an event loop Celery takes no locks: whatever touches its requests belongs on the loop's thread. The hub's own
    ``call_soon`` keeps no order, and in older versions does not wake the loop up.
    """

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._thread: int | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._woken = False

    def attach(self, hub: Any) -> None:
        """Have this hub make the calls, on the calling thread. It may be the same one, which has forgotten us."""
        self._thread = threading.get_ident()
        hub.add_reader(self._wake, self.empty)

    def post(self, fn: Callable[..., object], *args: Any) -> None:
        """Have ``fn(*args)`` called on the loop's thread: here and now, if this is it and nothing else waits."""
        if not self._calls and threading.get_ident() == self._thread:
            fn(*args)
        else:
            self.post_later(fn, *args)

    def post_later(self, fn: Callable[..., object], *args: Any) -> None:
        """Have ``fn(*args)`` called on the loop's thread, but not from here."""
        self._calls.append((fn, args))
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):  # it is closed: who closed it makes the calls
                os.eventfd_write(self._wake, 1)

    def empty(self) -> None:
        """Make the calls that wait. Calls that come meanwhile are for the next turn of the loop."""
        with contextlib.suppress(OSError):
            os.eventfd_read(self._wake)
        # In this order: whoever posts from now on wakes the loop again.
        self._woken = False
        for _ in range(len(self._calls)):
            fn, args = self._calls.popleft()
            fn(*args)

    def close(self, hub: Any) -> None:
        """Leave the hub, and give the descriptor back."""
        hub.remove(self._wake)
        os.close(self._wake)
