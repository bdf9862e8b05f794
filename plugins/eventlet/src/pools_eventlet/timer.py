"""The timer of the eventlet pool: each scheduled call is a greenlet."""

from __future__ import annotations

from collections.abc import Callable

from pools.green_timer import GreenTimer
from pools_eventlet.library import greenthread, hubs


class EventletTimer(GreenTimer):
    """Scheduled calls run in greenlets of their own, as by ``greenthread.spawn_after``.

    That one's greenlets can be cancelled only by a switch to another greenlet, and are kept until their time all the
    same; so here it is the hub's timer that is cancelled, and the greenlet is made when its time has come.
    """

    def spawn_after(self, seconds: float, fn: Callable[[], None]) -> Callable[[], None]:
        pending = hubs.get_hub().schedule_call_global(seconds, greenthread.spawn, fn)
        cancel: Callable[[], None] = pending.cancel
        return cancel
