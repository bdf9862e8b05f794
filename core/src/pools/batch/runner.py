"""The run of a batch: lines in, calls through the pool, records out, all decided by one thread or greenlet."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pools.batch.call import Arguments, Call
from pools.batch.descriptors import Mailbox
from pools.batch.interrupts import Interrupts
from pools.batch.lines import Line, Lines
from pools.batch.output import Output
from pools.batch.progress import Pace, Progress
from pools.batch.records import encode
from pools.batch.tally import Tally
from pools.pool import BasePool
from pools.states import JobState

#: How many calls wait in the pool, so that a slot never has to wait for the next line. The pool is to be opened with
#: this as its ``max_queued``.
AHEAD = 64

_TRIED_AGAIN = (JobState.FAILED, JobState.TIMED_OUT, JobState.LOST)
_ENDED_FROM_OUTSIDE = (JobState.CANCELLED, JobState.TERMINATED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a batch is to do.

    Attributes:
        target: The function.
        read: How a line becomes arguments.
        lines: The input.
        first: Lines that come before it.
        output: Where the records go.
        retries: How often a call that failed, timed out or was lost is made again.
    """

    target: Callable[..., Any]
    read: Callable[[bytes], Arguments]
    lines: Lines
    first: Iterable[Line]
    output: Output
    retries: int = 0


class Batch:
    """One run.

    Callbacks only leave their call in a mailbox; everything else happens in :meth:`run`, which therefore never waits
    inside the pool: it has to write records, hear signals and read a pipe while every slot is busy.

    Attributes:
        unrecorded: How many calls were begun or ready to begin when the user stopped the run, and have no record.
        terminated_by: The signal that ended what ran, or None.
    """

    def __init__(self, plan: Plan, pool: BasePool, tally: Tally, progress: Progress) -> None:
        self.unrecorded = 0
        self.terminated_by: signal.Signals | None = None
        self._plan = plan
        self._pool = pool
        self._tally = tally
        self._progress = progress
        self._pace = Pace(progress.interval)
        self._first = deque(plan.first)
        self._again: deque[Call] = deque()
        #: What was submitted and has not come back.
        self._under_way: set[Call] = set()
        self._settled: Mailbox[Call] = Mailbox()
        self._stopping = False

    @property
    def complete(self) -> bool:
        """Whether every line of the input has a record."""
        return self._input_done and not self._under_way and not self.unrecorded

    def run(self) -> None:
        """Make every call, or as many as the user lets it.

        Raises:
            UsageError: The input can no longer be read.
            OutputError: The output can no longer be written.
        """
        with Interrupts(self._settled.ring, self._cancel_waiting) as interrupts:
            while True:
                self._heed(interrupts)
                moved = self._settle_one()
                moved = self._submit_one() or moved
                now = time.monotonic()
                if self._pace.due(now):
                    self._progress.show(self._tally, now)
                if moved:
                    continue
                if not self._under_way and (self._stopping or self._input_done):
                    break
                self._wait(now)

    @property
    def _input_done(self) -> bool:
        return not (self._again or self._first) and self._plan.lines.exhausted

    @property
    def _wants_input(self) -> bool:
        return not self._stopping and len(self._under_way) < self._pool.concurrency + AHEAD

    def _wait(self, now: float) -> None:
        awaited = self._plan.lines.awaited if self._wants_input else ()
        self._settled.wait(self._pace.wait(now), *awaited)

    def _submit_one(self) -> bool:
        """Give the next call to the pool, if there is one and it has room; returns whether it did."""
        call = self._next_call() if self._wants_input else None
        if call is None:
            return False
        self._under_way.add(call)
        if call.error is None:
            call.submit(self._pool, self._plan.target, self._settled.put)
        else:
            self._settled.put(call)
        self._count_running()
        return True

    def _next_call(self) -> Call | None:
        if self._again:
            return self._again.popleft()
        line = self._first.popleft() if self._first else self._plan.lines.take()
        return None if line is None else Call.read(line, self._plan.read)

    def _settle_one(self) -> bool:
        """Deal with the next call that has come back, if there is one; returns whether there was."""
        call = self._settled.get()
        if call is None:
            return False
        self._under_way.remove(call)
        self._count_running()
        if self._was_ended_by_user(call):
            self.unrecorded += 1
        elif call.outcome in _TRIED_AGAIN and 0 < call.attempt <= self._plan.retries:
            self._tally.retried += 1
            self._again.append(call.again())
        else:
            self._plan.output.write(encode(call))
            self._tally.add(call.outcome, call.line.size)
        return True

    def _was_ended_by_user(self, call: Call) -> bool:
        # A call that the user cut short is left for the run that resumes this one.
        if self._stopping and call.outcome in _ENDED_FROM_OUTSIDE:
            return True
        return self.terminated_by is not None and isinstance(call.error, KeyboardInterrupt)

    def _count_running(self) -> None:
        # The pool has that many at work, and the others wait in it.
        self._tally.running = min(len(self._under_way), self._pool.concurrency)

    def _heed(self, interrupts: Interrupts) -> None:
        """Do what the user asked for by a signal."""
        if interrupts.stop is not None and not self._stopping:
            self._stopping = True
            self._cancel_waiting()
            self._progress.say(
                f"{interrupts.stop.name}: no more input is taken, and what runs is finished; once more terminates it"
            )
        if interrupts.terminate is not None and self.terminated_by is None:
            self.terminated_by = interrupts.terminate
            self._progress.say(f"{self.terminated_by.name}: terminating {self._tally.running} calls")
            self._pool.terminate()

    def _cancel_waiting(self) -> None:
        for call in list(self._under_way):
            if call.job is not None:
                call.job.cancel()
