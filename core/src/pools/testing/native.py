"""Threads of the system, whatever is patched: imported before any patch is applied.

What such a thread calls must not make a hub for it: it waits by ``pool.new_event()``, or by the ``sleep`` of here.
"""

from __future__ import annotations

from _thread import start_new_thread
from time import sleep
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pools import BasePool

T = TypeVar("T")

__all__ = ["NativeThread", "sleep"]


class NativeThread(Generic[T]):
    """A thread of the system, beside the pool's hub if it has one, that makes one call."""

    def __init__(self, pool: BasePool, call: Callable[..., T], *args: Any) -> None:
        self._call = call
        self._args = args
        self._returned: list[T] = []
        self._raised: list[BaseException] = []
        self._ended = pool.new_event()
        start_new_thread(self._run, ())

    def join(self) -> T:
        """Wait for the end of the call; returns what it returned, or raises what it raised."""
        from pools.testing.waiting import wait

        wait(self._ended, "another thread's call of", self._call)
        if self._raised:
            raise self._raised[0]
        return self._returned[0]

    def _run(self) -> None:
        try:
            self._returned.append(self._call(*self._args))
        except BaseException as error:
            self._raised.append(error)
        self._ended.set()
