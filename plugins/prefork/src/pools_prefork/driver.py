"""Brings outcomes back from children, and keeps the limits of their jobs. On the loop's thread."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from signal import SIGKILL
from time import monotonic
from typing import TYPE_CHECKING

from pools import ending, signals
from pools.errors import WorkerLostError
from pools.job import Job
from pools_prefork import stack
from pools_prefork.child import STACK_SIGNAL
from pools_prefork.crew import Crew
from pools_prefork.dispatcher import Dispatcher
from pools_prefork.link import Link, wants_acceptance
from pools_prefork.memory import resident
from pools_prefork.messages import Flag, Reply, ToHost
from pools_prefork.process import Nursery
from pools_prefork.reactor import Reactor
from pools_prefork.remote import error_of
from pools_prefork.roster import Child
from pools_prefork.supervisor import PATIENCE, Supervisor

if TYPE_CHECKING:
    from pools_prefork.pool import PreforkPool

#: Seconds that a child has to write down where its job stands, and between two looks whether it has.
STACK_SECONDS = 0.5
STACK_STEP = 0.002

_VALUE, _ERROR, _ACCEPTED = ToHost.VALUE.value, ToHost.ERROR.value, ToHost.ACCEPTED.value
_OVER_MEMORY = Flag.OVER_MEMORY.value


class Driver:
    """See the module.

    Args:
        pool: Whose jobs these are, and who gives them their outcomes.
        supervisor: Who decides.
        new_nursery: Makes a nursery, not started.

    Attributes:
        reactor: Where descriptors and times are waited for.
        crew: The children.
        dispatcher: How jobs come to them.
    """

    def __init__(self, pool: PreforkPool, supervisor: Supervisor, new_nursery: Callable[[], Nursery]) -> None:
        self._pool = pool
        self.supervisor = supervisor
        self.reactor = Reactor(self._on_alarm)
        self.crew = Crew(pool.name, supervisor, self.reactor, self, new_nursery)
        self.dispatcher = Dispatcher(pool, supervisor, self.crew, self.reactor)

    def on_word(self) -> None:
        self.dispatcher.dispatch()

    def on_readable(self, child: Child) -> bool:
        """Pass on what a child has written; returns whether there may be more of it."""
        link = self.crew.links.get(child)
        if link is None:
            return False
        with self.crew.turn:
            told = self._read(child, link)
        self.crew.tell_afterwards()
        if told:
            # Whoever waits for the pool to have nothing to do waits for the callbacks of these as well.
            with ending.settling(told[0][0]):
                self._pool.tell(told, link)
        if self.supervisor.queue or not self.dispatcher.hungry:
            self.dispatcher.dispatch()
        return link.has_more

    def _read(self, child: Child, link: Link) -> list[tuple[Job, Reply]]:
        told: list[tuple[Job, Reply]] = []
        ended = 0
        replies = link.read()
        for reply in replies or ():
            kind = reply.kind
            if kind in (_VALUE, _ERROR):
                job = child.end_first()
                link.forget_arguments(job)
                told.append((job, reply))
                ended += 1
                if reply.flags & _OVER_MEMORY:
                    self.crew.perform(self.supervisor.replace(child, "memory", reply.ended))
            elif kind == _ACCEPTED:
                told.append((child.hand[0], reply))
            else:
                self._note(child, link, reply)
        if replies is None:
            # Nothing more will come; that the child is gone, the nursery says.
            self.reactor.remove_reader(link.replies)
        if ended:
            now = monotonic()
            self.supervisor.replied(child, ended, told[-1][1].ended - told[-ended][1].began, now)
            if child.hand and child.hand[0].limited:
                self.dispatcher.expect_limit_of(child.hand[0], now)
            if child.due is not None:
                self.crew.perform(self.supervisor.settle(now))
            if self.supervisor.queue:
                # Before the callbacks run, so that the child does not wait for them.
                self.dispatcher.assign()
            else:
                self.dispatcher.hungry = True
        return told

    def _note(self, child: Child, link: Link, reply: Reply) -> None:
        if reply.kind == ToHost.FREE:
            link.free(reply.number)
        elif reply.kind == ToHost.SKIPPED:
            for job in child.hand:
                link.take_back(job)
                job.slot_id = 0
            self.supervisor.skipped(child, reply.number)
            self.crew.perform(self.supervisor.settle(monotonic()))
        elif reply.kind == ToHost.UP:
            self.crew.note_up(child)
            self.dispatcher.hungry = True
        else:
            self.crew.note_failure(error_of(reply, link))

    def look(self) -> None:
        """Learn what the children have ended and begun by now."""
        for child in list(self.crew.links):
            if child.hand:
                self.on_readable(child)
            link = self.crew.links.get(child)
            if link is not None and child.hand:
                begun, began = link.slate.begun()
                if begun == child.first:
                    child.hand[0].accept(began)

    def look_at(self, job: Job) -> None:
        """Learn whether a job has ended by now."""
        child = self.dispatcher.child_of(job)
        if child is not None:
            self.on_readable(child)

    def on_lost(self, job: Job, began: float, child: Child, error: WorkerLostError) -> None:
        job.slot_id = child.number
        with ending.settling(job):
            self._pool.lose(job, began, error)

    def on_child_started(self, child: Child, pid: int) -> None:
        self.dispatcher.dispatch()
        signals.emit(signals.child_started, self._pool, child=child.number, pid=pid)

    def on_child_exited(self, child: Child, pid: int, reason: str) -> None:
        self.dispatcher.dispatch()  # what it had not begun
        signals.emit(signals.child_exited, self._pool, child=child.number, pid=pid, reason=reason)

    def on_broken(self, error: BaseException) -> None:
        if self._pool.broken is None:
            self._pool.break_down(error)

    # -- Running jobs --------------------------------------------------------------------------------------------------

    def raise_soft_limit(self, job: Job, number: int) -> None:
        """Tell the child that runs the job that its soft limit has passed."""
        with self.crew.deciding():
            child = self.dispatcher.child_of(job)
            if child is not None:
                self.crew.links[child].slate.set_soft_limit_passed(child.position_of(job))
                self.crew.signal(child, number)

    def note_cancel_requested(self, job: Job) -> None:
        """Let the child that runs the job know that somebody wants its end. On any thread."""
        with self.crew.turn:
            child = self.dispatcher.child_of(job)
            if child is not None:
                self.crew.links[child].slate.set_cancel_requested(child.position_of(job))

    def kill(self, job: Job, number: int, reason: str) -> bool:
        """End the child that runs the job by a signal; returns False if none does, as it has ended."""
        with self.crew.deciding():
            child = self.dispatcher.child_of(job)
            if child is None or not self.crew.keep_in(child, child.position_of(job)):
                return False
            # One that was told to end before and is still there is not asked again.
            self.crew.signal(child, number if child.killed is None else SIGKILL)
            child.killed = child.killed or reason
        self.dispatcher.dispatch()
        return True

    def stack_of(self, job: Job, then: Callable[[str], object]) -> None:
        """Have the child write down where the job stands, and call ``then(text)``; with nothing if it does not soon."""
        child = self.dispatcher.child_of(job)
        if child is None:
            then("")
            return
        memory = os.dup(self.crew.links[child].memory)
        stack.clear(memory)
        self.crew.signal(child, STACK_SIGNAL)
        give_up_at = monotonic() + STACK_SECONDS

        def look() -> None:
            text = stack.read(memory)
            # A child that is gone, or has ended the job, writes nothing more.
            if text is None and monotonic() < give_up_at and self.dispatcher.child_of(job) is not None:
                self.reactor.call_after(STACK_STEP, look)
            else:
                os.close(memory)
                then(text if text and self._is_in(job) else "")

        look()

    def _is_in(self, job: Job) -> bool:
        """Whether a child runs the job and none after it."""
        child = self.dispatcher.child_of(job)
        return child is not None and self.crew.links[child].slate.claimed() <= child.position_of(job)

    # -- Time ----------------------------------------------------------------------------------------------------------

    def expect_limits(self) -> None:
        """Look again at the children that were sent a job with limits and have not begun it."""
        now = monotonic()
        with self.crew.turn:
            for child in self.supervisor.children.values():
                if child.hand and child.hand[0].limited and child.hand[0].accepted_at is None:
                    self.dispatcher.expect_limit_of(child.hand[0], now)

    def _on_alarm(self) -> None:
        now = monotonic()
        if self._pool.limits.due_at <= now:
            self._pool.enforce_limits()
        else:
            self.look()
        with self.crew.deciding():
            self.crew.perform(self.supervisor.tick(now))
            for child, link in list(self.crew.links.items()):
                if child.hand or child.revoked:
                    self.crew.perform(self.supervisor.stalled(child, link.slate.begun()[0], now))
        self._check_memory()
        self.dispatcher.dispatch()
        self.reactor.set_alarm(min(self.supervisor.next_tick(now), self._pool.limits.due_at, self._next_look(now)))

    def _next_look(self, now: float) -> float:
        """When to see whether jobs have begun that somebody wants to hear of: a child says so of the last one alone."""
        with self.crew.turn:
            heads = [child.hand[0] for child in self.crew.links if child.hand]
        waits = any(job.accepted_at is None and wants_acceptance(job) for job in heads)
        return now + PATIENCE if waits else math.inf

    def _check_memory(self) -> None:
        limit = self._pool.options.hard_memory_per_child
        if limit is None:
            return
        for child, process in list(self.crew.processes.items()):
            if child.hand and child.killed is None and (memory := resident(process.pid)) > limit:
                self.look()
                if child.hand:
                    self._pool.end_over_memory(child.hand[0], memory)
