"""The engine of a pool: how jobs come to slots and outcomes to jobs. Its face is :class:`pools.BasePool`."""

from __future__ import annotations

import abc
import itertools
import logging
import threading
from collections import deque
from time import monotonic
from typing import Any, ClassVar

from pools import ending
from pools.announcements import announce_timeout
from pools.current import current_job
from pools.errors import BrokenPoolError, UnsupportedError
from pools.execution import end
from pools.job import Job
from pools.lifecycle import Lifecycle
from pools.limits import NEVER, Limits
from pools.loop import EventLoop
from pools.options import PoolOptions, slot_count
from pools.permits import Event, Permits
from pools.slots import Slots
from pools.spec import Traits
from pools.states import WORKING, JobState
from pools.stats import Counts
from pools.timer import ThreadTimer, Timer
from pools.uncut import uncut
from pools.watchers import Watchers

_WAITING = JobState.WAITING

log = logging.getLogger(__name__)


class Engine(Lifecycle):
    """Slots, the queue before them, outcomes and limits; and the methods by which kinds of pools differ."""

    name: ClassVar[str] = "base"
    traits: ClassVar[Traits] = Traits()
    #: What options the pool takes.
    options_class: ClassVar[type[PoolOptions]] = PoolOptions

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        known = self.options_class.__dataclass_fields__
        for option in options:
            if option not in known:
                raise UnsupportedError(f"pool {self.name} has no option {option!r}")
        super().__init__()
        self.options = self.options_class(**options)
        self.options.check(self.name, self.traits)
        self._copies_context = self.traits.context and self.options.context != "empty"
        self._numbers = itertools.count(1)
        self._slot_numbers = itertools.count(1)
        self.watchers = Watchers()
        #: The jobs that wait for a slot; some of them may have their outcome already.
        self.queue: deque[Job] = deque()
        self._set_up(slot_count(self.name, self.traits, concurrency))
        limit = self.options.queue_limit
        # For all runs of the pool, as the ledger is: a job may take its permit in one run and give it back in the next.
        self.permits = None if limit is None else Permits(self.slots.size + limit, self.new_event)

    def _set_up(self, size: int) -> None:
        """Make everything that one run of the pool needs."""
        self.slots = Slots(size, self._slot_numbers)
        self.limits = Limits()
        self.counts = Counts()
        self.broken: BaseException | None = None
        #: Calls made later; stopped with the pool.
        self.timer = self.new_timer()
        self._limit_timer = ThreadTimer(f"pools-{self.name}-limits")

    @property
    def concurrency(self) -> int:
        """How many jobs may run at once."""
        return self.slots.size

    # -- Jobs and slots ------------------------------------------------------------------------------------------------

    def dispatch(self) -> None:
        """Hand waiting jobs to free slots."""
        queue, free = self.queue, self.slots.free
        if self._state not in WORKING:  # asked after the slots were: those of the next run are for when it has begun
            return
        while queue:
            try:
                slot_id = free.pop()
            except IndexError:
                return
            try:
                job = queue.popleft()
            except IndexError:
                job = None
            if job is None or job.state is not _WAITING:
                self._put_back(slot_id)
                continue
            job.slot_id = slot_id
            try:
                self.on_apply(job)
            except Exception as error:
                if self.ledger.waiting.pop(job, False):
                    job.settle(JobState.FAILED, error=error)
                else:
                    end(job, None, error)
                self._put_back(slot_id)

    def next_job(self, slot_id: int) -> Job | None:
        """Give a slot that has ended its job the next one that waits; None if the slot is free now, or is to go."""
        if self.queue and not self.slots.surplus and slot_id >= self.slots.first:
            try:
                job = self.queue.popleft()
                job.slot_id = slot_id
                return job
            except IndexError:  # another slot took it
                pass
        self.free_slot(slot_id)
        return None

    def free_slot(self, slot_id: int) -> None:
        """Note that a slot has ended its job; what waits is handed to the slots that are free."""
        self._put_back(slot_id)
        if self.queue:
            self.dispatch()

    def _put_back(self, slot_id: int) -> None:
        if (self.slots.surplus or slot_id < self.slots.first) and self.slots.retires(slot_id):
            self.on_slots_gone([slot_id])
        else:
            self.slots.free.append(slot_id)
        if self._joiners:
            self.check_idle()

    def wait_for(self, job: Job, timeout: float | None) -> bool:
        """Wait for a job's outcome for ``timeout`` seconds at the most; returns whether it is there."""
        self.check_may_wait(job)
        event = self.new_event()

        def wake(_: Job) -> None:
            event.set()

        self.watchers.add(job, wake)
        if not event.wait(timeout):
            self.watchers.remove(job, wake)
        return job.done()

    @uncut
    def cancel_job(self, job: Job) -> bool:
        """See :meth:`Job.cancel`."""
        return ending.cancel(job)

    @uncut
    def end_job(self, job: Job, signal: int | str | None = None) -> bool:
        """See :meth:`Job.terminate`."""
        return ending.terminate(job, signal)

    def initialize(self) -> bool:
        """Call the initializer in a slot that begins; if it raises, the pool is broken. Returns whether it is not."""
        if self.options.initializer is not None:
            try:
                self.options.initializer(*self.options.initargs)
            except BaseException as error:
                log.exception("the initializer of pool %s raised", self.name)
                self.break_down(error)
        return self.broken is None

    def break_down(self, error: BaseException) -> None:
        """Declare that the pool cannot go on: what waits fails with ``BrokenPoolError``, and nothing more is taken."""
        self.broken = error
        for job in list(self.ledger.waiting.copy()):
            if self.ledger.waiting.pop(job, False):
                broken = BrokenPoolError(f"pool {self.name} is broken: {error!r}")
                broken.__cause__ = error
                job.settle(JobState.FAILED, error=broken)
        self.check_idle()

    def watch_limits(self, job: Job, now: float) -> None:
        """Watch the limits of a job accepted at ``now``."""
        if self.limits.watch(job, now):
            self.set_alarm(self.limits.due_at)

    def expect_limit(self, when: float) -> None:
        """Look at the running jobs again at ``when``."""
        if self.limits.expect(when):
            self.set_alarm(when)

    def enforce_limits(self) -> None:
        """Do what is due: what :meth:`set_alarm` has called when the time has come."""
        now = monotonic()
        ledger = self.ledger
        self.limits.begin_look()
        late = self.limits.due([*ledger.running(), *ledger.strays.copy()], now)
        if self.limits.due_at != NEVER:
            self.set_alarm(self.limits.due_at)
        for job in late:
            if job in ledger.strays:
                ending.stop_again(job)
            elif job.deadline is not None and now >= job.deadline:
                self.hard_limit_passed(job)
            else:
                self.soft_limit_passed(job)
                if not job.done():
                    announce_timeout(job, soft=True)
                    self.raise_soft_limit(job)

    def soft_limit_passed(self, job: Job) -> None:
        """Note that a job's soft limit has passed: the next one is its hard limit."""
        job.limit_at = NEVER if job.deadline is None else job.deadline
        self.expect_limit(job.limit_at)

    # -- For subclasses ------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Make the slots ready; raise if that cannot be done."""

    @abc.abstractmethod
    def on_apply(self, job: Job) -> None:
        """Have slot ``job.slot_id``, which is free, begin the job, without waiting for it.

        A pool of this process has the slot call ``job.run()``; one that runs jobs elsewhere sees to it that
        ``job.accept()`` is called when the job begins, and then ``job.succeed`` or ``job.fail``. An exception from here
        is the job's outcome.
        """

    def on_stop(self) -> None:
        """End the slots; no job is taken any more, and none runs but strays."""

    def on_slots_gone(self, slot_ids: list[int]) -> None:
        """End these slots: the pool has shrunk, and they have nothing to do."""

    def raise_soft_limit(self, job: Job) -> None:
        """Raise ``SoftTimeLimitExceeded`` in a job that runs, unless it is shielded (trait ``soft_timeout``)."""

    def hard_limit_passed(self, job: Job) -> None:
        """Give a job the outcome timed out, and stop it; unless it has an outcome."""
        ending.time_out(job)

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        """Stop a stray (traits ``hard_timeout`` and ``terminate``).

        Returns:
            Whether to call this again in a while if the job is still there.
        """
        return False

    def check_limits_here(self) -> None:
        """Raise ``UnsupportedError`` if a job with limits cannot be given to the pool by the calling code."""

    def in_slot(self) -> bool:
        """Whether the calling code is in a slot of this pool: in a job, or in a callback of one."""
        job = current_job()
        return job is not None and job.pool is self and not job.done()

    def stack_of(self, job: Job) -> str:
        """Where a job that runs stands now, as text; empty if that cannot be told."""
        return ""

    def on_ended(self, job: Job) -> None:
        """See to it that nothing is raised on a job's account from now on: its call has ended. May be called again."""

    def on_shield(self, job: Job) -> None:
        """See to it that no soft limit is raised until the shield ends, if one was on its way already."""

    def new_event(self) -> Event:
        """Make an event that callers of the pool can wait on, and jobs can set."""
        return threading.Event()

    @classmethod
    def new_timer(cls) -> Timer:
        """Make a timer of this kind of pool."""
        return ThreadTimer(f"pools-{cls.name}-timer")

    def set_alarm(self, when: float) -> None:
        """Call :meth:`enforce_limits` at ``when``, in seconds of ``time.monotonic()``; alarms set before stay set.

        Limits have a timer of their own, which no scheduled call of a user can hold up.
        """
        self._limit_timer.call_at(when, self.enforce_limits)

    def check_may_wait(self, job: Job) -> None:
        """Raise ``PoolStateError`` if the calling code waiting for this job would wait for ever."""

    def register_with_event_loop(self, loop: EventLoop) -> None:
        """Have the host's loop drive the pool; a pool without descriptors needs none. May be called again."""

    def _stop_timers(self) -> None:
        self.timer.stop()
        self._limit_timer.stop()
