"""Threads of the system, whatever is patched."""

from __future__ import annotations

import _thread
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from pools import BasePool
from pools.green import GreenPool
from pools.watchdog import NativeThreads
from tests.contract.records import wait

T = TypeVar("T")


def native_threads(pool: BasePool) -> NativeThreads:
    """The operations on threads of the system, in a process that is patched for this pool."""
    if isinstance(pool, GreenPool):
        return pool.get_native()
    return cast(NativeThreads, _thread)


class NativeThread(Generic[T]):
    """A thread of the system, beside the pool's hub if it has one, that makes one call."""

    def __init__(self, pool: BasePool, call: Callable[..., T], *args: Any) -> None:
        self._call = call
        self._args = args
        self._returned: list[T] = []
        self._raised: list[BaseException] = []
        self._ended = pool.new_event()
        native_threads(pool).start_new_thread(self._run, ())

    def join(self) -> T:
        """Wait for the end of the call; returns what it returned, or raises what it raised."""
        wait(self._ended)
        if self._raised:
            raise self._raised[0]
        return self._returned[0]

    def _run(self) -> None:
        try:
            self._returned.append(self._call(*self._args))
        except BaseException as error:
            self._raised.append(error)
        self._ended.set()
