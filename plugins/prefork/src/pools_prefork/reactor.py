"""What waits for descriptors and for a time, on whatever event loop there is: it can be moved from one to another."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from pools.loop import EventLoop
from pools.thread_loop import ThreadLoop
from pools_prefork import descriptors

T = TypeVar("T")

_Callback = tuple[Callable[..., object], tuple[Any, ...]]


class Reactor:
    """Callbacks for descriptors, one alarm, and calls from other threads.

    It is attached to one loop at a time. ``add_reader`` and its like are for the loop's thread; ``call``, ``post``,
    ``set_alarm`` and ``in_loop`` for any.

    Args:
        on_alarm: Called when the time has come that ``set_alarm`` was given; it may come early, and more than once.
    """

    def __init__(self, on_alarm: Callable[[], object]) -> None:
        self._on_alarm = on_alarm
        self._readers: dict[int, _Callback] = {}
        self._writers: dict[int, _Callback] = {}
        self._posted: deque[Callable[[], object]] = deque()
        self.alarm_at = math.inf
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        #: Whether the loop's thread is in one of our callbacks, which call users' own: these must not wait for others.
        self.telling = False
        self._closed = False
        #: Held by who closes the descriptor for waking the loop's thread, and who writes to it.
        self._closing = threading.Lock()
        #: Held while one of our callbacks runs, and by who goes from one loop to another.
        self._turning = threading.RLock()
        self._loop: EventLoop | None = None
        self._own_loop: ThreadLoop | None = None
        self._thread = threading.get_ident()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        descriptors.keep_from_forks(self._wake)
        #: What :meth:`wait` waits in.
        self._poll = select.poll()
        self.add_reader(self._wake, self._on_wake)

    # -- Loops ---------------------------------------------------------------------------------------------------------

    def attach(self, loop: EventLoop) -> None:
        """Let this loop drive from now on, whose thread this is. It may be the same one, which has forgotten us."""
        self._end_own_loop()
        with self._turning:
            self.detach()
            self._loop = loop
            for fd, (callback, args) in self._readers.items():
                loop.add_reader(fd, self._tell, loop, callback, *args)
            for fd, (callback, args) in self._writers.items():
                loop.add_writer(fd, self._tell, loop, callback, *args)
            self._ask_for_alarm()
            if self._later:
                loop.call_later(max(0.0, self._later[0][0] - monotonic()), self._tell, loop, self._on_later)

    def attach_own(self, name: str) -> None:
        """Let a loop on a thread of its own drive from now on."""
        loop = ThreadLoop(name)
        self.attach(loop)
        self._own_loop = loop
        loop.start()

    def detach(self) -> None:
        """Let no loop drive any more: what is to happen is done by :meth:`wait`, on the calling thread."""
        self._end_own_loop()
        with self._turning:
            loop, self._loop = self._loop, None
            self._thread = threading.get_ident()
            if loop is not None:
                # A loop that has been closed, or reset, knows nothing of them.
                with contextlib.suppress(RuntimeError, KeyError, ValueError):
                    for fd in self._readers:
                        loop.remove_reader(fd)
                    for fd in self._writers:
                        loop.remove_writer(fd)

    def _end_own_loop(self) -> None:
        own, self._own_loop = self._own_loop, None
        if own is not None:
            self._loop = None
            self._thread = threading.get_ident()
            own.stop()

    def close(self) -> None:
        """Detach, and give the descriptor back."""
        self.detach()
        with self._closing:
            self._closed = True
            descriptors.close((self._wake,))
        self._call_posted()

    # -- On the loop's thread ------------------------------------------------------------------------------------------

    def add_reader(self, fd: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be read."""
        self._readers[fd] = (callback, args)
        self._poll_for(fd)
        if self._loop is not None:
            self._ask(self._loop.add_reader, fd, self._tell, self._loop, callback, *args)

    def remove_reader(self, fd: int) -> None:
        """Stop that."""
        if self._readers.pop(fd, None) is not None:
            self._poll_for(fd)
            if self._loop is not None:
                self._ask(self._loop.remove_reader, fd)

    def add_writer(self, fd: int, callback: Callable[..., object], *args: Any) -> None:
        """Call ``callback(*args)`` whenever ``fd`` can be written."""
        self._writers[fd] = (callback, args)
        self._poll_for(fd)
        if self._loop is not None:
            self._ask(self._loop.add_writer, fd, self._tell, self._loop, callback, *args)

    def remove_writer(self, fd: int) -> None:
        """Stop that."""
        if self._writers.pop(fd, None) is not None:
            self._poll_for(fd)
            if self._loop is not None:
                self._ask(self._loop.remove_writer, fd)

    def call_after(self, seconds: float, fn: Callable[[], object]) -> None:
        """Call ``fn()`` in so many seconds."""
        heapq.heappush(self._later, (monotonic() + seconds, next(self._numbers), fn))
        if self._loop is not None:
            self._ask(self._loop.call_later, seconds, self._tell, self._loop, self._on_later)

    @property
    def waits(self) -> bool:
        """Whether a call of :meth:`call_after` is still to be made."""
        return bool(self._later)

    def wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        """Drive, on the loop's thread, until ``done()``, or for ``timeout`` seconds; returns whether it is."""
        give_up_at = math.inf if timeout is None else monotonic() + timeout
        while not done():
            now = monotonic()
            if now >= give_up_at:
                return False
            later_at = self._later[0][0] if self._later else math.inf
            self._drive(min(give_up_at, self.alarm_at, later_at) - now)
        return True

    def _drive(self, seconds: float) -> None:
        for fd, event in self._poll.poll(None if seconds == math.inf else max(0.0, seconds) * 1000):
            for callbacks, wanted in ((self._readers, ~select.POLLOUT), (self._writers, select.POLLOUT)):
                if event & wanted and fd in callbacks:
                    callback, args = callbacks[fd]
                    self._tell(self._loop, callback, *args)
        self._tell(self._loop, self._on_later)
        if monotonic() >= self.alarm_at:
            self._tell(self._loop, self._ring, self.alarm_at)

    def _poll_for(self, fd: int) -> None:
        events = select.POLLIN * (fd in self._readers) | select.POLLOUT * (fd in self._writers)
        if events:
            self._poll.register(fd, events)
        else:
            self._poll.unregister(fd)

    # -- On any thread -------------------------------------------------------------------------------------------------

    def in_loop(self) -> bool:
        """Whether this is the loop's thread."""
        own = self._own_loop
        return threading.get_ident() == self._thread if own is None else own.in_loop()

    def post(self, fn: Callable[[], object]) -> None:
        """Call ``fn()`` on the loop's thread, soon; here and now, once there is none any more."""
        self._posted.append(fn)
        with self._closing:
            if not self._closed:
                os.eventfd_write(self._wake, 1)
                return
        self._call_posted()

    def call(self, fn: Callable[[], T]) -> T:
        """Call ``fn()`` on the loop's thread, and return what it returns, or raise what it raises."""
        if self.in_loop():
            return fn()
        answer: list[T] = []
        errors: list[BaseException] = []
        ready = threading.Event()

        def answered() -> None:
            try:
                answer.append(fn())
            except BaseException as error:
                errors.append(error)
            ready.set()

        self.post(answered)
        ready.wait()
        if errors:
            raise errors[0]
        return answer[0]

    def set_alarm(self, when: float) -> None:
        """Have ``on_alarm`` called at ``when``, in seconds of ``time.monotonic()``, if not before."""
        if when < self.alarm_at:
            self.alarm_at = when
            if self.in_loop():
                self._ask_for_alarm()
            else:
                self.post(self._ask_for_alarm)

    def _ask_for_alarm(self) -> None:
        if self._loop is not None and self.alarm_at < math.inf:
            delay = max(0.0, self.alarm_at - monotonic())
            self._ask(self._loop.call_later, delay, self._tell, self._loop, self._ring, self.alarm_at)

    def _ask(self, method: Callable[..., object], *args: Any) -> None:
        """Ask the loop for something. One that has been closed is left: whoever waits drives."""
        try:
            method(*args)
        except RuntimeError:
            self._loop = None

    def _ring(self, when: float) -> None:
        if when >= self.alarm_at:
            self.alarm_at = math.inf
            self._on_alarm()

    def _on_later(self) -> None:
        while self._later and self._later[0][0] <= monotonic():
            heapq.heappop(self._later)[2]()

    def _on_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._call_posted()

    def _call_posted(self) -> None:
        while self._posted:
            try:
                fn = self._posted.popleft()
            except IndexError:  # several threads may be at it when all is over
                return
            fn()

    def _tell(self, loop: EventLoop | None, callback: Callable[..., object], *args: Any) -> None:
        """Call one of our callbacks, unless the loop that calls this has been left: another thread drives now."""
        with self._turning:
            if loop is not self._loop:
                return
            outer, self.telling = self.telling, True
            try:
                callback(*args)
            finally:
                self.telling = outer


class ReactorEvent(threading.Event):
    """An event that can be waited for on the loop's thread as well: whoever waits there drives meanwhile.

    Args:
        reactor: Gives the reactor, or None while there is none.
    """

    def __init__(self, reactor: Callable[[], Reactor | None]) -> None:
        super().__init__()
        self._reactor = reactor

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set, or for ``timeout`` seconds; returns whether it was set."""
        reactor = self._reactor()
        if reactor is None or not reactor.in_loop():
            return super().wait(timeout)
        return reactor.wait(self.is_set, timeout)
