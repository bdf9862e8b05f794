"""Finds code that holds a hub: a job that computes, or that waits in a way which no patch reaches.

A native thread, which needs no hub, asks the hub again and again for a sign of life. While none comes it looks who runs
on the hub's thread, and if that is the same code for longer than the limit, it is reported: with the signal ``blocked``
and in the log, both from that native thread. So a receiver must not wait for anything that the hub has to do. (A log
handler that a greenlet uses at that moment is used when it is free.)

A hub that waits for its descriptors gives a sign of life at once, so waiting is no holding. A job that yields lets the
hub give one too; but a loop may well go on with the same job first, before it looks what other threads want. So the
hub's own thread is asked as well, by a signal: what its handler schedules comes before the job's next turn. (On another
thread than the main one there are no signals, and several turns of a job that yields may count as one there.)

A job is reported always, other code only while the pool has jobs that suffer from it.
"""

from __future__ import annotations

import logging
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from pools import native_log, signals, urgent
from pools.call import enter
from pools.green_slot import job_at
from pools.job import Job
from pools.limits import stack_of
from pools.vigil import Vigil
from pools.watchdog import NativeThreads

if TYPE_CHECKING:
    from pools.green import GreenPool

log = logging.getLogger(__name__)

#: Seconds that the end of the watch waits for a receiver that is being called.
PATIENCE = 1.0

#: By how many of its outermost frames a call that the hub itself makes is told from the next one.
DEPTH = 4


class _Sight(NamedTuple):
    """Who holds the hub: something to compare, the job if it is one, and where it stands."""

    holder: object
    job: Job | None
    frame: FrameType | None


NOBODY = _Sight(None, None, None)


class BlockWatch:
    """Watches the hub of one pool; made and stopped on the thread of that hub.

    Args:
        pool: The pool.
        native: Threads as they are without the patch.
        limit: Seconds for which code may hold the hub.
    """

    def __init__(self, pool: GreenPool, native: NativeThreads, limit: float) -> None:
        self._pool = pool
        self._limit = limit
        self._vigil = Vigil(limit)
        self._thread = native.get_ident()
        self._clock = time.pthread_getcpuclockid(self._thread)
        #: Whether the hub has given a sign of life since it was asked for one.
        self._alive = True
        self._asked_by_signal = False
        self._hears_signals = urgent.listen(self._on_signal)
        self._wake = native.allocate_lock()
        self._wake.acquire()
        self._ended = native.allocate_lock()
        self._ended.acquire()
        native.start_new_thread(self._run, ())

    def stop(self) -> None:
        """End the thread."""
        if self._hears_signals:
            urgent.ignore(self._on_signal)
        self._hears_signals = False
        self._wake.release()
        self._ended.acquire(timeout=PATIENCE)

    def _run(self) -> None:
        looked_at, computed = time.monotonic(), time.clock_gettime(self._clock)
        while not self._wake.acquire(timeout=self._vigil.interval):
            looked_before, computed_before = looked_at, computed
            try:
                looked_at, computed = time.monotonic(), time.clock_gettime(self._clock)
            except OSError:
                break  # the hub's thread has ended, and left its pool
            self._look(looked_at - looked_before, computed - computed_before)
        self._ended.release()

    def _look(self, elapsed: float, computed: float) -> None:
        ledger = self._pool.ledger
        busy = bool(ledger.unfinished() or ledger.strays)
        alive = self._alive
        sight = self._see(alive) if busy and not (alive and elapsed < 2 * self._vigil.interval) else NOBODY
        if self._vigil.look(sight.holder, alive, elapsed, computed):
            self._report(sight)
        if alive and busy:
            self._alive = self._asked_by_signal = False
            if not self._pool.run_soon_threadsafe(self._live):
                self._alive = True
        elif self._vigil.held and self._hears_signals and not self._asked_by_signal:
            self._asked_by_signal = True
            urgent.call(self._thread)

    def _see(self, alive: bool) -> _Sight:
        frame = at = sys._current_frames().get(self._thread)
        frames: list[FrameType] = []
        while at is not None:
            frames.append(at)
            at = at.f_back
        hub = self._pool.hub
        hub_runs = bool(hub) and hub.gr_frame is None
        if not frames or (alive and hub_runs):
            return NOBODY
        job = next((job for frame in reversed(frames) if (job := job_at(frame))), None)
        # The frame in which a greenlet began is the same for as long as it lives; what is running in the hub's own
        # greenlet is a call that the hub makes, one of many.
        outermost = frames[-DEPTH:] if hub_runs else frames[-1:]
        return _Sight((job, *map(id, outermost)), job, frame)

    def _report(self, sight: _Sight) -> None:
        pool, job, seconds = self._pool, sight.job, self._vigil.held
        stack = stack_of(sight.frame, enter.__code__)
        if job and not stack:  # a target that is written in C has no frame
            stack = f"  {job.target!r}\n"
        if signals.blocked.receivers:
            signals.emit(signals.blocked, pool, job=job, seconds=seconds, stack=stack)
        who = str(job) if job else f"code that is no job of pool {pool.name}"
        self._log(f"{who} has held the hub for {seconds:.2f} s (block_limit: {self._limit} s), here:\n{stack}")

    def _log(self, message: str) -> None:
        if log.isEnabledFor(logging.WARNING):
            record = log.makeRecord(log.name, logging.WARNING, __file__, 0, message, (), None)
            if not native_log.handled(log, record):
                # Some greenlet has a handler's lock, and lets go of it when the hub is free again.
                self._pool.run_soon_threadsafe(self._pool.spawn, log.handle, record)

    def _live(self) -> None:
        """The hub's sign of life."""
        self._alive = True

    def _on_signal(self, frame: FrameType | None) -> None:
        self._pool.run_next(self._live)
