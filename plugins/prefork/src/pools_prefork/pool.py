"""The prefork pool: a slot is a child process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from signal import SIGKILL
from typing import Any

from pools import ending, hooks, signals
from pools.errors import MemoryLimitExceeded, PoolStateError, RemoteError, StopJob, WorkerLostError
from pools.execution import end
from pools.job import Job
from pools.loop import EventLoop
from pools.permits import Event
from pools.pool import BasePool
from pools.registry import extensions_in_children
from pools.states import WORKING, JobState, PoolState
from pools_prefork import child, report
from pools_prefork.child import SOFT_SIGNAL, ChildOptions
from pools_prefork.crew import Crew
from pools_prefork.driver import Driver
from pools_prefork.link import Link
from pools_prefork.messages import Reply, ToHost
from pools_prefork.obituary import signal_number
from pools_prefork.options import PreforkOptions
from pools_prefork.plugin import SPEC
from pools_prefork.process import Nursery
from pools_prefork.reactor import Reactor, ReactorEvent
from pools_prefork.recycling import Recycling
from pools_prefork.remote import error_of
from pools_prefork.supervisor import Supervisor

_SUCCEEDED = JobState.SUCCEEDED
_VALUE = ToHost.VALUE.value


class PreforkPool(BasePool):
    """Jobs run in child processes, one at a time in each.

    Targets, arguments, values and exceptions are pickled. Callbacks run one after another on the thread of the loop
    that drives the pool: that of the host, if it was registered, or one that the pool has for itself.
    """

    name = SPEC.name
    traits = SPEC.traits
    options_class = PreforkOptions
    options: PreforkOptions

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self._driver: Driver | None = None

    # -- Life ----------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        options = self.options
        supervisor = Supervisor(
            self.concurrency,
            self.queue,
            self._still_waits,
            Recycling(options.max_tasks_per_child, options.max_age_per_child),
            options.proc_alive_timeout,
            options.stall_timeout,
        )
        self._driver = Driver(self, supervisor, self._new_nursery)
        try:
            self._driver.crew.start()
        except BaseException:
            self._driver.reactor.close()
            raise
        self._driver.reactor.attach_own(f"pools-{self.name}")

    def on_stop(self) -> None:
        driver = self.driver
        driver.dispatcher.hungry = False
        driver.reactor.detach()
        driver.crew.stop(kill=self.terminating)
        driver.reactor.close()

    def terminate(self) -> None:
        """See :meth:`BasePool.terminate`; nobody comes after the children that go now."""
        if self.state in WORKING:
            self.driver.reactor.call(lambda: self.driver.crew.resize(0))
        super().terminate()

    def restart(self) -> None:
        """Replace every child, from this process as it is now, without a moment in which there is none.

        Raises:
            PoolStateError: The pool does not run, or a callback would wait for itself.
        """
        if self.state is not PoolState.RUNNING:
            raise PoolStateError(f"pool {self.name} is {self.state.value}, which forbids restart(): start it first")
        if self.in_slot():
            raise PoolStateError(f"a callback of pool {self.name} cannot restart() it and wait: leave it to the host")
        gone = self.new_event()
        self.driver.reactor.call(lambda: self.driver.crew.replace_all(gone.set))
        gone.wait()

    def register_with_event_loop(self, loop: EventLoop) -> None:
        """Have the host's loop drive the pool, from the thread that calls this, which is to be the loop's."""
        self.driver.reactor.attach(loop)

    @property
    def driver(self) -> Driver:
        """What drives the pool, once it was started."""
        assert self._driver is not None
        return self._driver

    @property
    def crew(self) -> Crew | None:
        """The children, once the pool was started."""
        return None if self._driver is None else self._driver.crew

    @property
    def info(self) -> dict[str, Any]:
        """See :attr:`BasePool.info`; ``children`` says what each child is doing, all at one moment."""
        if self.state not in WORKING:
            return {**super().info, **report.info(self)}
        return self.driver.reactor.call(self._look_around)

    def _look_around(self) -> dict[str, Any]:
        self.driver.look()
        return {**super().info, **report.info(self)}

    @property
    def stats(self) -> dict[str, Any]:
        """See :attr:`BasePool.stats`; ``restarts`` counts the children that were replaced, by the reason."""
        return {**super().stats, **report.stats(self)}

    # -- Jobs ----------------------------------------------------------------------------------------------------------

    def on_apply(self, job: Job) -> None:
        """Not how jobs come to children: see :meth:`dispatch`."""
        raise AssertionError(job)

    def dispatch(self) -> None:
        # All slots are free for ever, as far as the engine knows: the supervisor decides who gets what.
        if self._driver is not None and self._driver.dispatcher.hungry and not self.terminating:
            self._driver.dispatcher.dispatch()

    def free_slot(self, slot_id: int) -> None:
        self.check_idle()

    def grow(self, n: int = 1) -> None:
        super().grow(n)
        self._resize_crew()

    def shrink(self, n: int = 1) -> None:
        super().shrink(n)
        self._resize_crew()

    def cancel_job(self, job: Job) -> bool:
        if self.driver.dispatcher.withdraw(job):
            try:
                return super().cancel_job(job)
            finally:
                self.driver.dispatcher.release(job)
        job.cancel_requested = True
        self.driver.note_cancel_requested(job)
        return False

    def end_job(self, job: Job, signal: int | str | None = None) -> bool:
        signal_number(signal)
        if self.terminating and job in self.ledger.waiting:
            return super().end_job(job, signal)  # its child, if it has one, is about to be killed
        if not self.terminating and self.driver.dispatcher.withdraw(job):
            try:
                return super().end_job(job, signal)
            finally:
                self.driver.dispatcher.release(job)
        return self.driver.reactor.call(lambda: self._end_running(job, signal))

    def in_slot(self) -> bool:
        driver = self._driver
        return driver is not None and driver.reactor.telling and driver.reactor.in_loop()

    def check_may_wait(self, job: Job) -> None:
        if self.in_slot() and not job.done():
            raise PoolStateError(
                f"a callback of pool {self.name} cannot wait for {job}: callbacks are called one after another, and "
                "that job's may be the next"
            )

    def new_event(self) -> Event:
        return ReactorEvent(self._reactor)

    def _reactor(self) -> Reactor | None:
        return self._driver.reactor if self._driver is not None and self.state in WORKING else None

    def _still_waits(self, job: Job) -> bool:
        return not job.slot_id and job in self.ledger.waiting

    def _resize_crew(self) -> None:
        self.driver.reactor.call(lambda: self.driver.crew.resize(self.concurrency))

    def _new_nursery(self) -> Nursery:
        options, hooked = self.options, bool(hooks.acting_in_children())
        own = options.initializer, options.initargs, options.max_memory_per_child
        told = ChildOptions(self.name, options, *own, hooked, extensions_in_children())
        return Nursery(self.name, options.start_method, child.main, told)

    # -- Outcomes; on the loop's thread --------------------------------------------------------------------------------

    def tell(self, told: Iterable[tuple[Job, Reply]], link: Link) -> None:
        """Pass on what a child says of its jobs."""
        waiting = self.ledger.waiting
        quiet = not signals.accepted.receivers
        for job, reply in told:
            if (
                reply.kind == _VALUE
                and not reply.body
                and quiet
                and not job.limited
                and job.accept_callback is None
                and waiting.pop(job, False)
            ):
                # What is done below comes to this for most small jobs.
                job.accepted_at = reply.began
                job.settle(_SUCCEEDED)
            elif reply.kind == ToHost.ACCEPTED:
                job.accept(reply.began)
            else:
                self._end(job, reply, link)
        self.check_idle()

    def _end(self, job: Job, reply: Reply, link: Link) -> None:
        """Give a job the outcome that its child replied with."""
        value, error = None, None
        if reply.kind != _VALUE:
            error = error_of(reply, link)
        elif reply.body:
            try:
                value = link.load(reply)
            except BaseException as reason:  # even SystemExit concerns this job alone
                error = RemoteError(f"{job} returned what does not unpickle here: {reason!r}")
        if not job.accept(reply.began) and job.accepted_at is None:
            return  # it was terminated before anyone here knew that it had begun
        if isinstance(error, StopJob):
            lost = WorkerLostError(f"{job} was lost: its child was told to end by SIGTERM")
            end(job, None, lost, JobState.LOST, reply.ended)
        else:
            end(job, value, error, at=reply.ended)

    def lose(self, job: Job, began: float, error: WorkerLostError) -> None:
        """Give a job the outcome lost, if it has none."""
        job.accept(began)
        end(job, None, error, JobState.LOST)
        self.free_slot(job.slot_id)

    # -- Limits and ends; on the loop's thread -------------------------------------------------------------------------

    def set_alarm(self, when: float) -> None:
        self.driver.reactor.set_alarm(when)

    def enforce_limits(self) -> None:
        self.driver.look()  # what has begun has limits
        super().enforce_limits()
        self.driver.expect_limits()

    def soft_limit_passed(self, job: Job) -> None:
        self.driver.look_at(job)
        super().soft_limit_passed(job)

    def raise_soft_limit(self, job: Job) -> None:
        job.soft_raised = True
        self.driver.raise_soft_limit(job, SOFT_SIGNAL)

    def hard_limit_passed(self, job: Job) -> None:
        # It may have ended in time while callbacks held the loop up.
        self.driver.look_at(job)
        if ending.take(job):
            unsettled = contextlib.ExitStack()
            unsettled.enter_context(ending.settling(job))
            self.driver.stack_of(job, lambda stack: self._end_late(job, stack, unsettled))

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        return self.driver.kill(job, signal_number(signal), "its job was ended")  # again, if that does not end it

    def end_over_memory(self, job: Job, memory: int) -> None:
        """Give a job whose child has so many KiB of memory its outcome, and kill the child."""
        if ending.take(job):
            limit = self.options.hard_memory_per_child
            with ending.settling(job):
                self.driver.kill(job, SIGKILL, f"it has {memory} KiB of memory, and may have {limit}")
                error = MemoryLimitExceeded(
                    f"{job} was killed: its child had {memory} KiB of memory, and may have {limit}"
                )
                job.settle(JobState.FAILED, error=error)

    def _end_late(self, job: Job, stack: str, unsettled: contextlib.ExitStack) -> None:
        with unsettled:
            self.driver.kill(job, SIGKILL, "its job passed its time limit")
            ending.settle_timed_out(job, stack)

    def _end_running(self, job: Job, signal: int | str | None) -> bool:
        if not self.terminating:
            self.driver.look()
        return super().end_job(job, signal)
