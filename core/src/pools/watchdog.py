"""The watchdog of green pools: interrupts a job that computes past its limit and never yields to the hub.

A hub's timer cannot do that, since the hub does not run. So a native thread looks whether limits are acted on, and if
one is overdue has the job interrupted (:mod:`pools.green_interrupts`).

What is guaranteed: a job that runs Python code is interrupted within :data:`GRACE` and a bytecode of its limit,
provided that the pool was started on the main thread, where alone Python runs signal handlers. What is not: a call
into C that neither yields nor returns is interrupted when it returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pools.green import GreenPool
    from pools.green_interrupts import Interrupts

#: Seconds that the hub has to act on a limit before the watchdog does.
GRACE = 0.05


class Lock(Protocol):
    """A lock of the ``_thread`` module."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it."""

    def release(self) -> None:
        """Give it back."""

    def locked(self) -> bool:
        """Whether it is taken."""


@dataclass(frozen=True)
class NativeThreads:
    """Three functions of the ``_thread`` module as they are without the patch."""

    start_new_thread: Callable[..., Any]
    allocate_lock: Callable[[], Lock]
    get_ident: Callable[[], int]


class Watchdog:
    """Watches the limits of one pool; made and stopped on the thread of the pool's hub.

    Args:
        pool: The pool.
        native: Threads as they are without the patch.
        interrupts: How its jobs are interrupted: if that is not possible, nothing is watched.
    """

    def __init__(self, pool: GreenPool, native: NativeThreads, interrupts: Interrupts) -> None:
        self._pool = pool
        self._wake = native.allocate_lock()
        self._wake.acquire()
        self._ended = native.allocate_lock()
        self._ended.acquire()
        self._interrupts = interrupts
        self._watches = interrupts.possible
        if self._watches:
            native.start_new_thread(self._run, ())

    def look_again(self) -> None:
        """Look again when the next limit is due: there is a new one, or the watch ends."""
        if self._wake.locked():
            self._wake.release()

    def stop(self) -> None:
        """End the thread."""
        if not self._watches:
            return
        self._watches = False
        self.look_again()
        self._ended.acquire()

    def _run(self) -> None:
        while self._watches:
            wait = self._pool.limits.due_at + GRACE - monotonic()
            if wait > 0:
                self._wake.acquire(timeout=min(wait, 3600.0))
            else:
                self._interrupts.call()
                self._wake.acquire(timeout=GRACE)
        self._ended.release()
