"""What pools of greenlets share: slots that are greenlets, and all that must happen on their hub's thread.

Not part of what ``pools`` imports by itself: it needs greenlet, which the plugins that use it depend on. A green pool
adds the few operations of its own hub (the abstract methods of :class:`GreenPool`).
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import greenlet

from pools.blocking import BlockWatch
from pools.call import enter
from pools.errors import StopJob
from pools.green_interrupts import Interrupts
from pools.green_options import GreenOptions
from pools.green_slot import Slot
from pools.job import Job
from pools.limits import soft_error, stack_of
from pools.permits import Event
from pools.pool import BasePool
from pools.watchdog import GRACE, NativeThreads, Watchdog

T = TypeVar("T")

#: Seconds for which a pool that stops waits for its greenlets to end.
JOIN_SECONDS = 1.0


def _nothing() -> None:
    """What cancels an alarm that is not set."""


class GreenPool(BasePool):
    """The base of pools whose slots are greenlets. Whatever concerns a slot happens on the thread of the pool's hub.

    A limit is an exception thrown into the job where it waits; a job that does not wait but computes is interrupted by
    :class:`pools.watchdog.Watchdog`.
    """

    options_class = GreenOptions
    options: GreenOptions

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self._slots: dict[int, Slot] = {}

    def on_start(self) -> None:
        self.hub = self.get_hub()
        self.native = self.get_native()
        self.ending = False
        self._hub_thread = self.native.get_ident()
        self._watchdog: Watchdog | None = None
        self._interrupts = Interrupts(self, self._hub_thread)
        limit = self.options.block_limit
        self._block_watch = BlockWatch(self, self.native, limit) if limit else None
        self._cancel_alarm: Callable[[], object] = _nothing
        self._gone = self.new_event()

    def on_apply(self, job: Job) -> None:
        if self.on_hub_thread():
            self._begin(job)
        else:
            self.run_soon_threadsafe(self._begin, job)

    def on_stop(self) -> None:
        self.ending = True
        self.on_hub(self._end_slots)
        if not self.in_slot():  # of a callback that terminates its pool
            self._gone.wait(JOIN_SECONDS)

    def on_slots_gone(self, slot_ids: list[int]) -> None:
        self.on_hub(self._retire, slot_ids)

    def in_slot(self) -> bool:
        return self._slot_here() is not None

    def job_here(self) -> Job | None:
        """The job of the slot that the calling greenlet is; None if it is none, or has none."""
        slot = self._slot_here()
        return None if slot is None else slot.job

    def _slot_here(self) -> Slot | None:
        current = greenlet.getcurrent()
        return next((slot for slot in list(self._slots.values()) if slot.greenlet is current), None)

    def cancel_job(self, job: Job) -> bool:
        return self.on_hub(super().cancel_job, job)

    def end_job(self, job: Job, signal: int | str | None = None) -> bool:
        if self.on_hub_thread():
            return super().end_job(job, signal)
        with self._interrupts.making_way(job):
            return self.on_hub(super().end_job, job, signal, meanwhile=self._interrupts.call)

    # -- Limits --------------------------------------------------------------------------------------------------------

    def set_alarm(self, when: float) -> None:
        # The one alarm there is, as it sets the next one itself; in a greenlet of its own, as it calls callbacks,
        # which may wait.
        self._cancel_alarm()
        self._cancel_alarm = self.call_later(max(0.0, when - monotonic()), self.spawn, self.enforce_limits)
        if self._watchdog is None:
            self._watchdog = Watchdog(self, self.native, self._interrupts)
        self._watchdog.look_again()

    def raise_soft_limit(self, job: Job) -> None:
        self.run_soon(self._throw_soft_limit, job)

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        self.run_soon(self._throw_stop, job)
        return True

    def stack_of(self, job: Job) -> str:
        return stack_of(self._slots[job.slot_id].greenlet.gr_frame, enter.__code__)

    def on_ended(self, job: Job) -> None:
        slot = self._slots.get(job.slot_id)
        if slot is not None and slot.job is job:
            slot.job = None

    def _throw_soft_limit(self, job: Job) -> None:
        slot = self._slots.get(job.slot_id)
        if slot is not None and slot.job is job and job in self.ledger.accepted:
            if job.shielded:
                job.soft_pending = True
            else:
                job.soft_raised = True
                slot.throw(soft_error(job))

    def _throw_stop(self, job: Job) -> None:
        slot = self._slots.get(job.slot_id)
        if slot is not None and slot.job is job and job in self.ledger.strays:
            slot.throw(StopJob(f"{job} has its outcome"))

    # -- Slots, on the hub's thread ------------------------------------------------------------------------------------

    def on_hub_thread(self) -> bool:
        """Whether the calling code runs on the thread of the pool's hub."""
        return self.native.get_ident() == self._hub_thread

    def forget(self, slot: Slot) -> None:
        """A slot has ended."""
        self._slots.pop(slot.slot_id, None)
        if self.ending and not self._slots:
            self._end()

    def _begin(self, job: Job) -> None:
        slot = self._slots.get(job.slot_id)
        if slot is None:
            slot = self._slots[job.slot_id] = Slot(self, job.slot_id)
        slot.begin(job)
        if self.ending:
            # Another thread handed the job out while the pool stopped: it finds it settled, and the slot goes.
            slot.retire()

    def _retire(self, slot_ids: list[int]) -> None:
        for slot_id in slot_ids:
            if slot_id in self._slots:
                self._slots[slot_id].retire()

    def _end_slots(self) -> None:
        for watch in (self._watchdog, self._block_watch, self._interrupts):
            if watch is not None:
                watch.stop()
        if not self._slots:
            self._end()
        for slot in list(self._slots.values()):
            slot.retire()

    def _end(self) -> None:
        """Nothing runs any more, no stray either, whose alarm a stopped pool keeps."""
        self._cancel_alarm()
        self._gone.set()

    def on_hub(self, fn: Callable[..., T], *args: Any, meanwhile: Callable[[], object] | None = None) -> T:
        """Call ``fn(*args)`` on the hub's thread and return what it returns; from another thread, wait for it.

        Once the pool has stopped, its hub may take no calls, and needs not: nothing of the pool runs there any more.

        Args:
            fn: What to call.
            args: Its arguments.
            meanwhile: Called again and again by a thread that waits.
        """
        if self.on_hub_thread():
            return fn(*args)
        answer: list[T] = []
        errors: list[BaseException] = []
        ready = self.new_event()

        def call() -> None:
            try:
                answer.append(fn(*args))
            except BaseException as error:
                errors.append(error)
            ready.set()

        if not self.run_soon_threadsafe(self.spawn, call):
            return fn(*args)
        while not ready.wait(GRACE if meanwhile is not None else None):
            assert meanwhile is not None
            meanwhile()
        if errors:
            raise errors[0]
        return answer[0]

    # -- What a kind of green pool adds --------------------------------------------------------------------------------

    @abc.abstractmethod
    def get_hub(self) -> greenlet.greenlet:
        """The hub of the calling thread."""

    @abc.abstractmethod
    def get_native(self) -> NativeThreads:
        """The operations on threads as they are without the patch."""

    def start_thread(self, fn: Callable[[], object]) -> None:
        """Call ``fn()`` in a native thread of its own; if it waits as greenlets do, it has a hub of its own there."""
        self.native.start_new_thread(fn, ())

    @abc.abstractmethod
    def new_event(self) -> Event:
        """Make an event that greenlets of the hub and other threads can wait on and set."""

    @abc.abstractmethod
    def spawn(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` in a new greenlet, soon."""

    @abc.abstractmethod
    def run_soon(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` in the hub's greenlet, soon. On the hub's thread."""

    def run_next(self, fn: Callable[[], object]) -> None:
        """Call ``fn()`` in the hub's greenlet, before the code that runs now has its next turn.

        On the hub's thread, in a signal handler too.
        """
        self.run_soon(fn)

    @abc.abstractmethod
    def run_soon_threadsafe(self, fn: Callable[..., object], *args: Any) -> bool:
        """Call ``fn(*args)`` in the hub's greenlet, soon. From any thread.

        Returns:
            Whether that will be; a pool that has stopped may leave it.
        """

    @abc.abstractmethod
    def call_later(self, seconds: float, fn: Callable[..., object], *args: Any) -> Callable[[], object]:
        """Call ``fn(*args)`` in the hub's greenlet, in so many seconds. On the hub's thread.

        Returns:
            What cancels that; nothing happens if it is called later, or again.
        """
