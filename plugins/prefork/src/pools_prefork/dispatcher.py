"""Brings jobs to children.

On any thread: whoever submits a job sends it, if a child can begin it at once, so that a lone job does not wait until
another thread wakes up. The crew's turn keeps this apart from what the loop's thread does; no callback of a user runs
in it.
"""

from __future__ import annotations

import functools
from time import monotonic
from typing import TYPE_CHECKING

from pools.job import Job
from pools_prefork.crew import Crew
from pools_prefork.link import Link
from pools_prefork.reactor import Reactor
from pools_prefork.roster import Child
from pools_prefork.supervisor import IN_A_WHILE, Supervisor

if TYPE_CHECKING:
    from pools_prefork.pool import PreforkPool

#: The slot of a job that nobody is to be given.
WITHDRAWN = -1


class Dispatcher:
    """See the module.

    Args:
        pool: Whose jobs these are.
        supervisor: Who decides.
        crew: The children.
        reactor: Where it is waited until a child reads more.

    Attributes:
        hungry: Whether a child may be able to do with a job: what a submitter asks before it looks closer.
    """

    def __init__(self, pool: PreforkPool, supervisor: Supervisor, crew: Crew, reactor: Reactor) -> None:
        self._pool = pool
        self._supervisor = supervisor
        self._crew = crew
        self._reactor = reactor
        self.hungry = False

    def dispatch(self) -> None:
        """Send what waits to the children that can do with it. On any thread."""
        turn = self._crew.turn
        turn.word = True
        while turn.word and turn.acquire(blocking=False):
            try:
                turn.word = False
                self.assign()
            finally:
                turn.release()

    def assign(self) -> None:
        """Give jobs to children, as many as they can do with. In a turn."""
        now = monotonic()
        queue = self._supervisor.queue
        while True:
            for child, jobs in self._supervisor.assign():
                self._give(child, jobs, now)
            # Another thread may have submitted a job since: while a child is idle, it is not left for later.
            self.hungry = not queue or self._supervisor.wants_jobs()
            # In this order: whoever submits a job now either has it seen here, or sees that a child may want one.
            if not (self.hungry and queue):
                return

    def _give(self, child: Child, jobs: list[Job], now: float) -> None:
        link = self._crew.links[child]
        sent = []
        for job in jobs:
            try:
                link.add(job)
            except BaseException as error:  # whatever a __reduce__ raised, the other jobs are still to be sent
                self._reactor.post(functools.partial(job.fail, error))
            else:
                job.slot_id = child.number
                sent.append(job)
        if sent:
            # First of all, so that the child is at work while the rest is noted.
            link.flush()
            idle = not child.hand
            if self._supervisor.give(child, sent, now):
                self._reactor.post(self._crew.settle)
            if idle and sent[0].limited:
                self.expect_limit_of(sent[0], now)
            if link.is_blocked:
                self._reactor.post(lambda: self._flush_when_possible(link))
            if len(child.hand) > 1 or self._reactor.alarm_at > now + IN_A_WHILE:
                self._reactor.set_alarm(self._supervisor.next_tick(now))

    def _flush_when_possible(self, link: Link) -> None:
        if link in self._crew.links.values():
            self._reactor.add_writer(link.jobs, self._on_writable, link)

    def _on_writable(self, link: Link) -> None:
        with self._crew.turn:
            link.flush()
            if not link.is_blocked:
                self._reactor.remove_writer(link.jobs)

    def withdraw(self, job: Job) -> bool:
        """Keep a job from being begun, until :meth:`release`. On any thread.

        Returns:
            Whether that could be done; False if a child has begun it, or may have.
        """
        with self._crew.turn:
            if job.slot_id > 0:
                child = self.child_of(job)
                # It is in no child's hands any more if it has ended, and is being told so at this moment.
                if child is None or not self._crew.take_back(child, child.position_of(job)):
                    return False
            job.slot_id = WITHDRAWN
        return True

    def release(self, job: Job) -> None:
        """Let a job that was withdrawn be sent again, if it still waits."""
        job.slot_id = 0
        self.hungry = True
        self.dispatch()

    def child_of(self, job: Job) -> Child | None:
        """The child that was sent the job and has not ended it."""
        child = self._supervisor.children.get(job.slot_id)
        return child if child is not None and job in child.hand else None

    def expect_limit_of(self, job: Job, now: float) -> None:
        """Look, when the job's first limit can have passed, whether it has begun."""
        self._pool.limits.expect(now + min(limit for limit in (job.soft_timeout, job.timeout) if limit is not None))
        self._reactor.set_alarm(self._pool.limits.due_at)
