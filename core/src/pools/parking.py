"""Threads of ours that a fork may find at rest: it copies the state of a process, but none of its other threads."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Protocol

#: Seconds that :func:`parked` waits for a thread whose callback does not return.
PATIENCE = 1.0


class Lock(Protocol):
    """A lock, or a condition for its lock."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it."""

    def release(self) -> None:
        """Give it back."""


#: The threads that run, in the order of their starts, and the locks of each.
_running: dict[threading.Thread, tuple[Lock, ...]] = {}


def begin(thread: threading.Thread, *locks: Lock) -> None:
    """Note that a thread is about to start.

    Args:
        thread: The thread.
        locks: What holds it between two callbacks, for whoever has all of them; taken in this order.
    """
    _running[thread] = locks


def end(thread: threading.Thread) -> None:
    """Note that a thread is about to end."""
    _running.pop(thread, None)


@contextlib.contextmanager
def parked() -> Iterator[int]:
    """Hold all of them, so that a fork copies no callback half done, and no lock that stays locked.

    Yields how many threads that are, without the caller's own and those whose callback did not return in time.
    """
    with contextlib.ExitStack() as held:
        threads = 0
        for thread, locks in list(_running.items()):
            if thread.ident != threading.get_ident() and _take(locks, held):
                threads += 1
        yield threads


def _take(locks: tuple[Lock, ...], held: contextlib.ExitStack) -> bool:
    """Take all of the locks, to be released by ``held``, or none; returns whether they were to be had in time."""
    with contextlib.ExitStack() as taken:
        for lock in locks:
            if not lock.acquire(timeout=PATIENCE):
                return False
            taken.callback(lock.release)
        held.push(taken.pop_all())
        return True


os.register_at_fork(after_in_child=_running.clear)
