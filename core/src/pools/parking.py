"""Threads of ours that a fork may find at rest: it copies the state of a process, but none of its other threads."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Protocol

#: Seconds that :func:`parked` waits for a thread whose callback does not return.
PATIENCE = 1.0


class Parkable(Protocol):
    """What runs callbacks on a thread of its own, and can be held between two of them."""

    def is_here(self) -> bool:
        """Whether the calling thread is that one."""

    def hold(self, seconds: float) -> bool:
        """Have the thread begin nothing more; returns whether what it does has ended, within so many seconds."""

    def let_go(self) -> None:
        """End a :meth:`hold` that succeeded."""


#: Those whose thread runs, in the order of their starts.
_running: dict[Parkable, None] = {}


def begin(thread: Parkable) -> None:
    """Note that its thread is about to start."""
    _running[thread] = None


def end(thread: Parkable) -> None:
    """Note that its thread is about to end."""
    _running.pop(thread, None)


@contextlib.contextmanager
def parked() -> Iterator[int]:
    """Hold all of them, so that a fork copies no callback half done.

    Yields how many threads that are, without the caller's own and those whose callback did not return in time.
    """
    with contextlib.ExitStack() as held:
        threads = 0
        for thread in list(_running):
            if not thread.is_here() and thread.hold(PATIENCE):
                held.callback(thread.let_go)
                threads += 1
        yield threads


os.register_at_fork(after_in_child=_running.clear)
