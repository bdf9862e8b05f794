"""The timer of the gevent pool: each scheduled call is a greenlet."""

from __future__ import annotations

from collections.abc import Callable

from gevent import Greenlet, get_hub

from pools.green_timer import GreenTimer


class GeventTimer(GreenTimer):
    """Scheduled calls run in greenlets of their own, by ``Greenlet.spawn_later``."""

    def spawn_after(self, seconds: float, fn: Callable[[], None]) -> Callable[[], None]:
        # The loop counts from when it last looked at the clock, which is long ago if a greenlet has computed since.
        get_hub().loop.update_now()
        pending = Greenlet.spawn_later(seconds, fn)
        return lambda: pending.kill(block=False)
