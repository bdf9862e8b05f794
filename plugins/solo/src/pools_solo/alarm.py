"""The POSIX timer of the solo pool: a call in the main thread, in the middle of whatever that thread does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any

#: The shortest delay that still sets the timer: zero would switch it off.
_SOONEST = 1e-6


class Alarm:
    """Calls ``ring(frame)`` from a handler of ``SIGALRM`` when the time has come.

    The signal and the timer ``ITIMER_REAL`` belong to the pool from the first :meth:`set` to :meth:`close`, which gives
    them back. Only for the main thread: Python runs signal handlers in no other.
    """

    def __init__(self, ring: Callable[[FrameType | None], None]) -> None:
        self._ring = ring
        self._installed = False
        self._before: Callable[[int, FrameType | None], Any] | int | None = None

    def set(self, when: float) -> None:
        """Ring at ``when``, in seconds of ``time.monotonic()``, and no more at the time that was set before."""
        if not self._installed:
            self._installed = True
            self._before = signal.signal(signal.SIGALRM, lambda _, frame: self._ring(frame))
        signal.setitimer(signal.ITIMER_REAL, max(when - monotonic(), _SOONEST))

    def close(self) -> None:
        """Give the signal and the timer back."""
        if self._installed and threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            self._installed = False
