"""The POSIX timer of the solo pools: a call in the main thread, in the middle of whatever that thread does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from math import inf
from time import monotonic
from types import FrameType
from typing import Any

#: The shortest delay that still sets the timer: zero would switch it off.
_SOONEST = 1e-6


class Alarm:
    """Calls ``ring(frame)`` from a handler of ``SIGALRM`` when the time has come.

    A process has one timer, ``ITIMER_REAL``, and all alarms share it. The timer and the signal are theirs from the
    first :meth:`set` of any to the :meth:`close` of the last, which gives them back. Only for the main thread: Python
    runs signal handlers in no other.
    """

    #: When each alarm that was set, and not closed, is to ring; infinity for one that has rung.
    _times: dict[Alarm, float] = {}  # noqa: RUF012 - shared by all alarms, as the timer is

    #: Whether the handler of the signal is ours, and which was before.
    _installed = False
    _before: Callable[[int, FrameType | None], Any] | int | None = None

    def __init__(self, ring: Callable[[FrameType | None], None]) -> None:
        self._ring = ring

    def set(self, when: float) -> None:
        """Ring at ``when``, in seconds of ``time.monotonic()``, and no more at the time that was set before."""
        if not Alarm._installed:
            Alarm._installed = True
            Alarm._before = signal.signal(signal.SIGALRM, Alarm._on_signal)
        Alarm._times[self] = when
        Alarm._wind()

    def close(self) -> None:
        """Ring no more; the last alarm gives the signal and the timer back."""
        Alarm._times.pop(self, None)
        if Alarm._installed and not Alarm._times and threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, Alarm._before)
            Alarm._installed = False

    @staticmethod
    def _wind() -> None:
        """Set the timer to the earliest of the times."""
        when = min(Alarm._times.values(), default=inf)
        if when < inf:
            signal.setitimer(signal.ITIMER_REAL, max(when - monotonic(), _SOONEST))

    @staticmethod
    def _on_signal(number: int, frame: FrameType | None) -> None:
        """Ring the alarm whose time came first.

        It may well raise: the timer is set for the others before.
        """
        alarm = min(Alarm._times, key=Alarm._times.__getitem__, default=None)
        if alarm is None or Alarm._times[alarm] > monotonic():  # set to another time, or closed, since the signal came
            return
        Alarm._times[alarm] = inf
        Alarm._wind()
        alarm._ring(frame)
