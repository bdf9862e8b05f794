"""The eventlet pool: a slot is a greenlet of eventlet's hub."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

from greenlet import greenlet

from pools.green import GreenPool
from pools.watchdog import NativeThreads
from pools_eventlet.calls import calls_of_hub
from pools_eventlet.event import Event
from pools_eventlet.library import patcher
from pools_eventlet.plugin import SPEC
from pools_eventlet.timer import EventletTimer


class EventletPool(GreenPool):
    """Jobs run on greenlets of the eventlet hub of the thread that started the pool."""

    name = SPEC.name
    traits = SPEC.traits

    def on_start(self) -> None:
        super().on_start()
        self._calls.keep()

    def on_stop(self) -> None:
        super().on_stop()
        self.on_hub(self._calls.release)

    def get_hub(self) -> greenlet:
        self._calls = calls_of_hub()
        return cast(greenlet, self._calls.hub.greenlet)

    def get_native(self) -> NativeThreads:
        thread = patcher.original("_thread")
        return NativeThreads(thread.start_new_thread, thread.allocate_lock, thread.get_ident)

    def new_event(self) -> Event:
        return Event()

    @classmethod
    def new_timer(cls) -> EventletTimer:
        return EventletTimer()

    def spawn(self, fn: Callable[..., object], *args: Any) -> None:
        self.run_soon(greenlet(fn, self.hub).switch, *args)

    def run_soon(self, fn: Callable[..., object], *args: Any) -> None:
        # A stopped pool may have jobs left that ignore their end, and still throws into them.
        if not self._calls.add(fn, *args):
            self._calls.hub.schedule_call_global(0, fn, *args)

    def run_next(self, fn: Callable[[], object]) -> None:
        # Not by way of the descriptor, which the hub looks at only after the timers that are due.
        self._calls.hub.schedule_call_global(0, fn)

    def run_soon_threadsafe(self, fn: Callable[..., object], *args: Any) -> bool:
        return self._calls.add(fn, *args)

    def call_later(self, seconds: float, fn: Callable[..., object], *args: Any) -> Callable[[], object]:
        return self._calls.set_timer(seconds, functools.partial(fn, *args))
