"""The gevent pool: a slot is a greenlet of gevent's hub."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import gevent
from gevent import monkey
from greenlet import greenlet

from pools.green import GreenPool
from pools.watchdog import NativeThreads
from pools_gevent.calls import calls_of_hub
from pools_gevent.event import Event
from pools_gevent.plugin import SPEC
from pools_gevent.timer import GeventTimer


class GeventPool(GreenPool):
    """Jobs run on greenlets of the gevent hub of the thread that started the pool."""

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
        self._loop = self._calls.hub.loop
        return cast(greenlet, self._calls.hub)

    def get_native(self) -> NativeThreads:
        return NativeThreads(
            start_new_thread=monkey.get_original("_thread", "start_new_thread"),
            allocate_lock=monkey.get_original("_thread", "allocate_lock"),
            get_ident=monkey.get_original("_thread", "get_ident"),
        )

    def start_thread(self, fn: Callable[[], object]) -> None:
        def run() -> None:
            try:
                fn()
            finally:
                # Such a hub has descriptors, which do not go with the thread.
                gevent.get_hub().destroy()

        super().start_thread(run)

    def new_event(self) -> Event:
        return Event(self.on_hub_thread)

    @classmethod
    def new_timer(cls) -> GeventTimer:
        return GeventTimer()

    def spawn(self, fn: Callable[..., object], *args: Any) -> None:
        gevent.spawn(fn, *args)

    def run_soon(self, fn: Callable[..., object], *args: Any) -> None:
        self._loop.run_callback(fn, *args)

    def run_soon_threadsafe(self, fn: Callable[..., object], *args: Any) -> bool:
        return self._calls.add(fn, *args)

    def call_later(self, seconds: float, fn: Callable[..., object], *args: Any) -> Callable[[], object]:
        return self._calls.set_timer(seconds, functools.partial(fn, *args))
