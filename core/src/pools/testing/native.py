"""Threads of the system, whatever is patched: imported before any patch is applied."""

from __future__ import annotations

from _thread import allocate_lock, get_ident, start_new_thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from pools import BasePool

T = TypeVar("T")

__all__ = ["NativeThread", "allocate_lock", "get_ident", "start_new_thread"]


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
        from pools.testing.records import wait

        wait(self._ended, f"another thread's call of {getattr(self._call, '__qualname__', self._call)}")
        if self._raised:
            raise self._raised[0]
        return self._returned[0]

    def _run(self) -> None:
        try:
            self._returned.append(self._call(*self._args))
        except BaseException as error:
            self._raised.append(error)
        self._ended.set()
