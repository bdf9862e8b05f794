"""The life of a pool: new → running → closing → stopped (contract, point 4)."""

from __future__ import annotations

import abc
import atexit
import os
import weakref
from collections import deque
from time import monotonic
from typing import ClassVar, NoReturn, Self

from pools import hooks, signals
from pools.current import current_job
from pools.errors import PoolStateError
from pools.job import Job
from pools.ledger import Ledger
from pools.permits import Event, Permits
from pools.slots import Slots
from pools.states import POOL_MOVES, PoolState

_REMEDIES = {
    PoolState.NEW: "start it first, or use it in a with statement",
    PoolState.RUNNING: "stop it first",
    PoolState.CLOSING: "it takes no more jobs; open another pool, or start this one again once it has stopped",
    PoolState.STOPPED: "start it again, or open another pool",
}


class Lifecycle(abc.ABC):
    """The moves between the states of a pool, and what each of them waits for."""

    name: ClassVar[str]
    slots: Slots
    permits: Permits | None

    def __init__(self) -> None:
        self._state = PoolState.NEW
        #: One for all runs of the pool: who submits a job while it restarts must not write into two.
        self.ledger = Ledger()
        self._joiners: list[Event] = []
        #: Whether every unfinished job is being terminated.
        self.terminating = False
        #: Whether a plugin wraps the execution of jobs.
        self.wraps_jobs = False
        #: When the pool was started, in seconds of ``time.monotonic()``.
        self.started_at: float | None = None
        #: Whoever pops this is the one who ends the slots.
        self._finishing: deque[None] = deque()

    @property
    def state(self) -> PoolState:
        """Where the pool is in its life."""
        return self._state

    def start(self) -> None:
        """Start the slots: new or stopped → running.

        Raises:
            PoolStateError: It runs already.
        """
        if PoolState.RUNNING not in POOL_MOVES[self._state]:
            self._refuse("start")
        if self._state is PoolState.STOPPED:
            self._set_up(self.slots.size)
        self.terminating = False
        self.wraps_jobs = hooks.wraps_jobs()
        self._finishing = deque([None])
        self.on_start()
        self.started_at = monotonic()
        self._move(PoolState.RUNNING)
        _started.add(self)
        self.dispatch()
        # A program that ends without stopping its pool gets what it asked for: the jobs that the pool took are done.
        atexit.register(self.stop)
        signals.emit(signals.started, self)

    def close(self) -> None:
        """Take no more jobs: running → closing. Does nothing to a pool that has gone that way."""
        if self._state is PoolState.RUNNING:
            self._move(PoolState.CLOSING)
            signals.emit(signals.preshutdown, self)
            if self.permits is not None:
                self.permits.wake_all()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until every job taken has its outcome and its callbacks ran, for ``timeout`` seconds at the most.

        Returns:
            Whether that is so.

        Raises:
            PoolStateError: A job of this pool would wait for itself.
        """
        self._refuse_own_job("join")
        give_up_at = None if timeout is None else monotonic() + timeout
        # More than once, because who submits a job while the pool closes has it counted until it is refused.
        while not self._has_ended():
            if not self._wait_till_idle(give_up_at):
                return self._has_ended()
        return True

    def _wait_till_idle(self, give_up_at: float | None) -> bool:
        event = self.new_event()
        self._joiners.append(event)
        try:
            return self._has_ended() or event.wait(None if give_up_at is None else max(0.0, give_up_at - monotonic()))
        finally:
            self._joiners.remove(event)

    def stop(self, timeout: float | None = None) -> None:
        """Finish what was taken and end the slots: → stopped. Past ``timeout`` seconds, :meth:`terminate`.

        Raises:
            PoolStateError: A job of this pool would wait for itself.
        """
        if self._state is PoolState.NEW:
            self._move(PoolState.STOPPED)
        if self._state is PoolState.STOPPED:
            return
        self._refuse_own_job("stop")
        self.close()
        give_up_at = None if timeout is None else monotonic() + timeout
        while self._state is PoolState.CLOSING and not self._take_all_slots():
            if not self.join(None if give_up_at is None else max(0.0, give_up_at - monotonic())):
                self.terminate()
        self._finish()

    def terminate(self) -> None:
        """Give every unfinished job the outcome terminated and end the slots, without waiting for jobs: → stopped.

        Raises:
            PoolStateError: A job of this pool would end itself half-way through.
        """
        if self._state is PoolState.NEW:
            self._move(PoolState.STOPPED)
        if self._state is PoolState.STOPPED:
            return
        job = current_job()
        if job is not None and job.pool is self and not job.done():
            raise PoolStateError(f"{job} cannot terminate() its pool, which would end that job: leave it to the host")
        self.close()
        self.terminating = True
        while jobs := [*self.ledger.waiting.copy(), *self.ledger.accepted.copy()]:
            for job in jobs:
                self.end_job(job)
        self._finish()

    def restart(self) -> None:
        """Finish what was taken, end the slots and start anew.

        Raises:
            PoolStateError: It does not run, or a job of this pool would wait for itself.
        """
        if self._state is not PoolState.RUNNING:
            self._refuse("restart")
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        if self._state is not PoolState.RUNNING:
            self.start()
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc: object, tb: object) -> None:
        if exc_type is None:
            self.stop()
        else:
            self.terminate()

    def _move(self, state: PoolState) -> None:
        if state not in POOL_MOVES[self._state]:
            raise PoolStateError(f"pool {self.name} is {self._state.value} and cannot become {state.value}")
        self._state = state

    def _refuse(self, call: str) -> NoReturn:
        raise PoolStateError(
            f"pool {self.name} is {self._state.value}, which forbids {call}(): {_REMEDIES[self._state]}"
        )

    def _refuse_own_job(self, call: str) -> None:
        if self.in_slot():
            raise PoolStateError(
                f"a slot of pool {self.name} cannot {call}() the pool, which would wait for that slot: "
                "leave it to the host"
            )

    def _idle(self) -> bool:
        return self.slots.idle and not self.ledger.unfinished()

    def _has_ended(self) -> bool:
        return self._idle() or self._state is PoolState.STOPPED

    def check_idle(self) -> None:
        """Wake who waits for the pool to have nothing to do, if it has."""
        if self._joiners and self._idle():
            for event in list(self._joiners):
                event.set()

    def _take_all_slots(self) -> bool:
        """Take every slot, if all are free, so that nothing can begin any more; returns whether they were."""
        taken = []
        while self.slots.free:
            taken.append(self.slots.free.pop())
        if len(taken) >= self.slots.size and not self.ledger.unfinished():
            return True
        self.slots.free.extend(taken)
        self.dispatch()
        return False

    def _finish(self) -> None:
        try:
            self._finishing.pop()
        except IndexError:
            return
        atexit.unregister(self.stop)
        _started.discard(self)
        # What is being submitted at this moment finds no slot, and is refused.
        self.slots.free.clear()
        try:
            self.on_stop()
        finally:
            # Whatever went wrong: nobody would ever end the slots a second time.
            self._stop_timers()
            self._move(PoolState.STOPPED)
            for event in list(self._joiners):
                event.set()
        signals.emit(signals.postshutdown, self)

    # -- What a pool adds ----------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def on_start(self) -> None:
        """Make the slots ready."""

    @abc.abstractmethod
    def on_stop(self) -> None:
        """End the slots; no job is taken any more, and none runs but strays."""

    @abc.abstractmethod
    def end_job(self, job: Job, signal: int | str | None = None) -> bool:
        """Give the job the outcome terminated."""

    @abc.abstractmethod
    def in_slot(self) -> bool:
        """Whether the calling code is in a slot of this pool."""

    @abc.abstractmethod
    def new_event(self) -> Event:
        """Make an event that callers of the pool can wait on."""

    @abc.abstractmethod
    def _set_up(self, size: int) -> None:
        """Make everything that one run of the pool needs."""

    @abc.abstractmethod
    def dispatch(self) -> None:
        """Hand waiting jobs to free slots."""

    @abc.abstractmethod
    def _stop_timers(self) -> None:
        """Cancel what is scheduled."""


#: The pools of this process that were started and not stopped.
_started: weakref.WeakSet[Lifecycle] = weakref.WeakSet()


def _be_stopped_in_copy() -> None:
    """A process that was forked from the host has neither the slots of its pools nor the jobs: those are the host's."""
    for pool in list(_started):
        pool._state = PoolState.STOPPED
    _started.clear()


os.register_at_fork(after_in_child=_be_stopped_in_copy)
