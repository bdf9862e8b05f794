"""Timers: calls that a pool makes later.

Each kind of pool has its own (``pool.timer``): a thread's for ordinary pools, a hub's for green ones. A scheduled call
never holds a job up, whatever it does.
"""

from __future__ import annotations

import abc
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pools import parking
from pools.uncut import uncut

log = logging.getLogger(__name__)


class Entry:
    """One scheduled call, as the ``call_`` methods return it.

    Attributes:
        when: When it is due, in seconds of ``time.monotonic()``.
        interval: Seconds between two calls, or None for a call that is made once.
        cancelled: Whether it was cancelled; a cancelled call is not made (again).
    """

    def __init__(
        self,
        when: float,
        interval: float | None,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self.when = when
        self.interval = interval
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.cancelled = False

    def cancel(self) -> None:
        """Do not make the call; it may still be made if it is being made right now."""
        self.cancelled = True

    def __call__(self) -> None:
        """Make the call; what it raises is logged."""
        try:
            self.fn(*self.args, **self.kwargs)
        except BaseException:
            log.exception("a scheduled call to %r raised", self.fn)


class Timer(abc.ABC):
    """Calls made later. Times are seconds; ``when`` is a time of ``time.monotonic()``."""

    def call_after(
        self,
        seconds: float,
        fn: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Call ``fn(*args, **kwargs)`` once, ``seconds`` from now."""
        return self.call_at(time.monotonic() + seconds, fn, args, kwargs)

    def call_at(
        self,
        when: float,
        fn: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Call ``fn(*args, **kwargs)`` once, at ``when``; at once if that has passed."""
        entry = Entry(when, None, fn, args, kwargs or {})
        self.schedule(entry)
        return entry

    def call_repeatedly(
        self,
        seconds: float,
        fn: Callable[..., object],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Call ``fn(*args, **kwargs)`` every ``seconds``, first in ``seconds``.

        A call that takes longer than ``seconds`` delays the next one; calls of one entry never overlap.

        Raises:
            ValueError: ``seconds`` is not positive.
        """
        if seconds <= 0:
            raise ValueError(f"call_repeatedly wants a positive number of seconds, not {seconds!r}")
        entry = Entry(time.monotonic() + seconds, seconds, fn, args, kwargs or {})
        self.schedule(entry)
        return entry

    def cancel(self, entry: Entry) -> None:
        """The same as ``entry.cancel()``."""
        entry.cancel()

    @abc.abstractmethod
    def schedule(self, entry: Entry) -> None:
        """Make the entry's call when it is due, and again after each ``interval``, unless it is cancelled."""

    @abc.abstractmethod
    def clear(self) -> None:
        """Cancel every scheduled call."""

    def stop(self) -> None:
        """Cancel every scheduled call and release what the timer holds; one that is used again starts anew."""
        self.clear()


class ThreadTimer(Timer):
    """A timer with a thread of its own, which starts with the first call and ends with :meth:`stop`.

    Its calls are made one after another, so one that takes long delays the others (and no job).
    """

    def __init__(self, name: str = "pools-timer") -> None:
        self._name = name
        self._queue: list[tuple[float, int, Entry]] = []
        #: The entry whose call is being made.
        self._current: Entry | None = None
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @uncut
    def schedule(self, entry: Entry) -> None:
        with self._changed:
            heapq.heappush(self._queue, (entry.when, next(self._numbers), entry))
            if self._thread is None:
                busy = threading.Lock()
                self._thread = threading.Thread(target=self._run, args=(busy,), name=self._name, daemon=True)
                parking.begin(self._thread, busy, self._changed)
                self._thread.start()
            elif self._queue[0][2] is entry:
                self._changed.notify()

    @uncut
    def clear(self) -> None:
        with self._changed:
            for _, _, entry in self._queue:
                entry.cancel()
            if self._current is not None:
                self._current.cancel()
            self._queue.clear()
            self._changed.notify()

    def stop(self) -> None:
        self.clear()
        thread = self._leave_thread()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    @uncut
    def _leave_thread(self) -> threading.Thread | None:
        """Have the thread end; returns it."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify()
        return thread

    def _run(self, busy: threading.Lock) -> None:
        """Make the calls; ``busy`` is held while one is made."""
        me = threading.current_thread()
        while (entry := self._next(me)) is not None:
            with busy:
                entry()
                self._put_back(me, entry)
            del entry
        parking.end(me)

    def _next(self, me: threading.Thread) -> Entry | None:
        """Wait for the next entry that is due; None when this thread is to end."""
        with self._changed:
            while self._thread is me:
                if not self._queue:
                    self._changed.wait()
                elif (wait := self._queue[0][0] - time.monotonic()) > 0:
                    self._changed.wait(min(wait, threading.TIMEOUT_MAX))
                else:
                    entry = heapq.heappop(self._queue)[2]
                    if not entry.cancelled:
                        self._current = entry
                        return entry
        return None

    def _put_back(self, me: threading.Thread, entry: Entry) -> None:
        """Note that the entry's call was made, and schedule the next one if there is to be one."""
        with self._changed:
            if self._thread is not me:
                return
            self._current = None
            if entry.interval is not None and not entry.cancelled:
                entry.when = max(entry.when + entry.interval, time.monotonic())
                heapq.heappush(self._queue, (entry.when, next(self._numbers), entry))
