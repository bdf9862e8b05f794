"""An event loop on a thread of its own, for programs that have none.

It is made for Linux: it waits in ``epoll`` and is woken through an ``eventfd``. Elsewhere a pool that has descriptors
is driven by a loop that the host brings, such as asyncio's.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import select
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from pools import parking

log = logging.getLogger(__name__)

#: Events that one wait returns at most; what else is ready comes with the next.
BATCH = 64

_READABLE = 0x001  # EPOLLIN, EPOLLOUT: their values are part of the kernel's interface
_WRITABLE = 0x004

#: A callback and its arguments.
Call = tuple[Callable[..., object], tuple[Any, ...]]

#: The loops of this process that hold descriptors.
_open: weakref.WeakSet[ThreadLoop] = weakref.WeakSet()


class Handle:
    """A call that was asked for with ``call_later``."""

    __slots__ = ("_cancelled", "call")

    def __init__(self, call: Call, cancelled: Callable[[], None]) -> None:
        self.call: Call | None = call
        self._cancelled = cancelled

    def cancel(self) -> None:
        """Do not make the call, if it was not made yet. Only on the loop's thread."""
        if self.call is not None:
            self.call = None
            self._cancelled()


class ThreadLoop:
    """An event loop (:class:`pools.loop.EventLoop`) that runs on a daemon thread between ``start`` and ``stop``.

    ``start``, ``stop``, ``in_loop`` and ``call_soon_threadsafe`` may be called on any thread; every other method on the
    loop's own, or on one thread before ``start``. A callback that raises is logged, and the loop goes on. A descriptor
    is to be removed before it is closed. A process that is forked from this one has none of it.
    """

    def __init__(self, name: str = "pools-loop") -> None:
        self._name = name
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        # Edge-triggered: each write is reported once, and nobody has to read what was written.
        self._epoll.register(self._wake, select.EPOLLIN | select.EPOLLET)
        self._readers: dict[int, Call] = {}
        self._writers: dict[int, Call] = {}
        self._later: list[tuple[float, int, Handle]] = []
        self._numbers = itertools.count()
        self._cancelled = 0
        self._soon: deque[Call] = deque()
        self._asleep = False
        self._ended = False
        self._closed = False
        self._closing = threading.Lock()
        #: Held while callbacks run.
        self._busy = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        _open.add(self)

    # -- its life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the loop on its thread.

        Raises:
            RuntimeError: It was started before, or stopped.
        """
        if self._closed:
            raise RuntimeError(f"the loop {self._name} is stopped; make a new one")
        parking.begin(self._thread, self._busy)
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the calls that were asked for before, and close the loop's own descriptors.

        Returns when the thread has ended, unless it is called there. A second call does nothing.
        """
        if self._thread.ident is None:
            self._close()
            return
        try:
            self.call_soon_threadsafe(self._end)
        except RuntimeError:  # it has ended already
            pass
        if not self.in_loop():
            self._thread.join()

    def in_loop(self) -> bool:
        """Whether this is called on the loop's thread."""
        return threading.get_ident() == self._thread.ident

    # -- the protocol --------------------------------------------------------------------------------------------------

    def add_reader(self, fd: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be read, or has an error or its end to tell of."""
        self._watch(fd, self._readers, (callback, args))

    def remove_reader(self, fd: int) -> bool:
        """Stop that; tells whether there was anything to stop."""
        return self._forget(fd, self._readers)

    def add_writer(self, fd: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written, or has an error to tell of."""
        self._watch(fd, self._writers, (callback, args))

    def remove_writer(self, fd: int) -> bool:
        """Stop that; tells whether there was anything to stop."""
        return self._forget(fd, self._writers)

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Handle:
        """Call ``callback(*args)`` once, in ``delay`` seconds, unless the handle is cancelled."""
        handle = Handle((callback, args), self._note_cancelled)
        heapq.heappush(self._later, (time.monotonic() + delay, next(self._numbers), handle))
        return handle

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` on the loop's thread, in the order of these calls.

        Raises:
            RuntimeError: The loop has ended.
        """
        if self._closed:
            raise RuntimeError(f"the loop {self._name} is stopped; make a new one")
        self._soon.append((callback, args))
        # In this order: either the loop sees the call before it waits, or this thread sees that it waits.
        if self._asleep:
            self._asleep = False
            with self._closing:
                if not self._closed:
                    os.eventfd_write(self._wake, 1)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _watch(self, fd: int, calls: dict[int, Call], call: Call) -> None:
        before = self._mask(fd)
        calls[fd] = call
        mask = self._mask(fd)
        try:
            if not before:
                self._epoll.register(fd, mask)
            elif mask != before:
                self._epoll.modify(fd, mask)
        except OSError:
            del calls[fd]
            raise

    def _forget(self, fd: int, calls: dict[int, Call]) -> bool:
        if calls.pop(fd, None) is None:
            return False
        # A descriptor that was closed first has left the epoll by itself.
        with contextlib.suppress(OSError):
            if mask := self._mask(fd):
                self._epoll.modify(fd, mask)
            else:
                self._epoll.unregister(fd)
        return True

    def _mask(self, fd: int) -> int:
        return (_READABLE if fd in self._readers else 0) | (_WRITABLE if fd in self._writers else 0)

    def _note_cancelled(self) -> None:
        """Keep the heap from filling with calls that are never to be made."""
        self._cancelled += 1
        if self._cancelled > BATCH and self._cancelled * 2 > len(self._later):
            self._later[:] = [entry for entry in self._later if entry[2].call is not None]
            heapq.heapify(self._later)
            self._cancelled = 0

    def _run(self) -> None:
        poll, busy, soon, later, call = self._epoll.poll, self._busy, self._soon, self._later, self._call
        readers, writers = self._readers, self._writers
        while not self._ended:
            self._asleep = True
            timeout = 0.0 if soon else max(later[0][0] - time.monotonic(), 0.0) if later else -1.0
            events = poll(timeout, BATCH)
            self._asleep = False
            with busy:
                for fd, event in events:
                    if event != _WRITABLE and fd in readers:
                        call(readers[fd])
                    if event != _READABLE and fd in writers:
                        call(writers[fd])
                for _ in range(len(soon)):
                    call(soon.popleft())
                if later:
                    self._call_due()
        parking.end(self._thread)
        self._close()

    def _call(self, call: Call) -> None:
        callback, args = call
        try:
            callback(*args)
        except BaseException:
            log.exception("%r raised in the loop %s", callback, self._name)

    def _call_due(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            handle = heapq.heappop(self._later)[2]
            call, handle.call = handle.call, None
            if call is None:
                self._cancelled -= 1
            else:
                self._call(call)

    def _end(self) -> None:
        self._ended = True

    def _close(self) -> None:
        with self._closing:
            if not self._closed:
                self._closed = True
                _open.discard(self)
                self._epoll.close()
                os.close(self._wake)


def _leave_to_the_parent() -> None:
    """Close what the fork copied: the epoll is the parent's, and a change to this copy would be a change to that."""
    for loop in list(_open):
        loop._closing = threading.Lock()
        loop._ended = True
        loop._close()


os.register_at_fork(after_in_child=_leave_to_the_parent)
