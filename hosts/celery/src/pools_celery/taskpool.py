"""TaskPool: what Celery asks of a worker pool, done by a pool of pools."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from signal import SIGTERM
from typing import Any, ClassVar

from celery import signals as celery_signals
from celery.concurrency.base import BasePool as CeleryPool
from celery.worker import state

import pools
from pools import signals
from pools.current import current_job
from pools.errors import StopJob
from pools.permits import Event
from pools.pool import BasePool
from pools.states import PoolState
from pools_celery import options
from pools_celery.execution import Execution
from pools_celery.feeder import Feeder
from pools_celery.mailbox import Mailbox
from pools_celery.redis_broker import RedisBroker
from pools_celery.remote_control import RemoteControl

log = logging.getLogger(__name__)

#: Seconds between two looks, while the pool stops, at what Celery's event loop would do.
_TURN = 0.1


class TaskPool(Feeder, CeleryPool):  # type: ignore[misc]  # celery has no types
    """A worker pool of Celery's, of which each subclass stands for one pool: see :mod:`pools_celery.choice`."""

    pool_name: ClassVar[str]
    pool_class: ClassVar[type[BasePool]]

    def __init__(self, limit: int | None = None, *args: Any, app: Any = None, **asked: Any) -> None:
        CeleryPool.__init__(self, options.concurrency(self.pool_class, limit), *args, app=app, **asked)
        Feeder.__init__(self)
        self._stopping = False
        #: Of pools of processes, by pool and child; those of other pools are not ours.
        self._pids: dict[tuple[BasePool, int], int] = {}
        #: Where Celery's event loop is brought what concerns it; None if there is no such loop.
        self._mailbox = None if self.options.get("threads", True) else Mailbox()
        self._hub: Any = None
        if app is not None:
            app.steps["consumer"].update((RedisBroker, RemoteControl))

    # -- Life ----------------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """Open the pool."""
        given = options.options(self.pool_class, self.options, self.app, self.forking_enable)
        if options.starts_processes(self.pool_class):
            celery_signals.worker_before_create_process.send(sender=self)
            signals.child_started.connect(self._on_child_started)
            signals.child_exited.connect(self._on_child_exited)
        self._pool: BasePool = pools.open(self.pool_name, self.limit, **given)

    def did_start_ok(self) -> bool:
        """Whether the pool can run tasks."""
        return self._pool.broken is None

    def register_with_event_loop(self, loop: Any) -> None:
        """Have Celery's loop drive the pool, and hear of its tasks. Called anew after each lost connection."""
        self._hub = loop
        if self._mailbox is not None:
            self._mailbox.attach(loop)
        self._pool.register_with_event_loop(loop)

    def on_close(self) -> None:
        """Begin no more tasks. Those that wait go back to the broker, when the connection is closed."""
        self.drop_waiting()

    def stop(self) -> None:
        """Wait until the tasks that run have ended, and Celery has heard of it.

        A cold shutdown calls this in a signal handler, in the middle of whatever the main thread does, where nothing
        can be waited for; :meth:`terminate` follows.

        Raises:
            StopJob: What the handler interrupts is a task, which ends by this.
        """
        if self._stopping:
            return
        if self.active and state.should_terminate is not None:
            self._stop_task_here()
            return
        self._stopping = True
        self.drop_waiting()
        while not self._pool.join(_TURN):
            self._turn()
        self._turn()
        self._pool.stop()
        self._end()

    def _stop_task_here(self) -> None:
        job = current_job()
        if job is not None and job.pool is self._pool:
            self.drop_given()
            raise StopJob(f"{job} ends with its worker")

    def terminate(self) -> None:
        """End the tasks that run; Celery hears of those that had ended by now, and no more of the others."""
        if self._pool_is_open():
            self.drop_waiting()
            self._turn()
            self.drop_given()
            self._pool.terminate()
        self._end()

    def flush(self) -> None:
        """Forget the tasks that no slot has begun: their connection is lost, and the broker delivers them again."""
        self.drop_waiting()
        for execution in list(self.given):
            if execution.worker_pid is None and execution.job is not None and execution.job.cancel():
                execution.dropped = True

    def restart(self) -> None:
        """Replace every slot, once its task has ended, without waiting for that."""
        if self.given:
            threading.Thread(target=self._restart, name=f"pools-{self.pool_name}-restart", daemon=True).start()
        else:
            self._restart()

    def _restart(self) -> None:
        self._pool.restart()
        self.fill()

    def _pool_is_open(self) -> bool:
        return "_pool" in self.__dict__ and self._pool.state is not PoolState.STOPPED

    def _turn(self) -> None:
        """Do, in its place, what Celery's event loop has to do with tasks, and with the connection."""
        if self._mailbox is not None:
            self._mailbox.empty()
        if self._hub is not None:
            self._hub.fire_timers()

    def _end(self) -> None:
        self._state = self.TERMINATE
        signals.child_started.disconnect(self._on_child_started)
        signals.child_exited.disconnect(self._on_child_exited)
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.empty()
            mailbox.close(self._hub)

    # -- Tasks ---------------------------------------------------------------------------------------------------------

    def apply_async(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] | list[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        callback: Callable[[Any], object] | None = None,
        error_callback: Callable[[Any], object] | None = None,
        accept_callback: Callable[[int, float], object] | None = None,
        timeout_callback: Callable[[bool, float], object] | None = None,
        soft_timeout: float | None = None,
        timeout: float | None = None,
        correlation_id: str | None = None,
        **_: Any,
    ) -> Execution:
        """Run ``target(*args, **kwargs)`` in a slot, as soon as there is one, and tell the callbacks.

        Limits are seconds; without one, the worker's own holds.
        """
        # A body may be a view of what was received, which does not pickle.
        plain = tuple(bytes(arg) if isinstance(arg, memoryview) else arg for arg in args or ())
        limits = soft_timeout or None, timeout or None
        callbacks = accept_callback, timeout_callback, callback, error_callback
        execution = Execution(self, target, plain, kwargs, limits, correlation_id, *callbacks)
        self.add(execution)
        return execution

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """End the task that runs in a slot, of which Celery tells by itself. May be called in a signal handler.

        Args:
            pid: As the task's ``accept_callback`` was given it.
            signal: What to send a child; the other pools have one way to end a task.
        """
        execution = self.running.get(pid)
        if execution is not None:
            execution.announced = True
            execution.terminate(SIGTERM if signal is None else signal)

    # -- For remote control --------------------------------------------------------------------------------------------

    @property
    def tasks_may_hold_worker(self) -> bool:
        """Whether a task may keep Celery's own loop from going on, and that can be brought what it missed.

        A pool that runs tasks inline has one slot.
        """
        return self._mailbox is not None and self.pool_class.traits.max_concurrency == 1

    def new_event(self) -> Event:
        """Make an event that Celery's loop and threads can wait on and set."""
        return self._pool.new_event()

    def start_thread(self, fn: Callable[[], object]) -> None:
        """Call ``fn()`` in a thread of the system."""
        threading.Thread(target=fn, name=f"pools-{self.pool_name}", daemon=True).start()

    def call_in_worker(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` soon, where Celery's loop runs; never, if that has ended. From any thread."""
        mailbox = self._mailbox
        if mailbox is not None:
            mailbox.post_later(fn, *args)

    def end_tasks(self, ids: Collection[str]) -> str:
        """End the tasks with these ids that run. From any thread, which does not wait.

        Returns:
            Why they go on; empty if they do not.
        """
        running = [execution for execution in list(self.given) if execution.correlation_id in ids]
        if running and not self._pool.traits.terminate:
            return f"pool {self.pool_name} cannot end a task that runs (trait terminate is False)"
        for execution in running:
            if execution.job is not None:
                self.start_thread(execution.job.terminate)
        return ""

    # -- For executions ------------------------------------------------------------------------------------------------

    def deliver(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` where Celery wants to hear of its tasks: in its event loop, if there is one."""
        if self._mailbox is not None:
            self._mailbox.post(fn, *args)
        else:
            fn(*args)

    def defer(self, fn: Callable[[], object]) -> None:
        """Call ``fn()`` soon, when no lock of the calling code is taken: it may be a signal handler."""
        if self._mailbox is not None:
            self._mailbox.post_later(fn)
        else:
            self._pool.timer.call_after(0.0, fn)

    def pid_of(self, slot_id: int) -> int:
        """What Celery knows a slot by: the process, if it has one of its own."""
        return self._pids.get((self._pool, slot_id), slot_id or os.getpid())

    # -- Size ----------------------------------------------------------------------------------------------------------

    def grow(self, n: int = 1) -> None:
        """Add slots."""
        self._pool.grow(n)
        self._note_size()

    def shrink(self, n: int = 1) -> None:
        """Remove slots, but for one; ``ValueError`` if there is only one."""
        self._pool.shrink(max(1, min(n, self._pool.concurrency - 1)))
        self._note_size()

    def _note_size(self) -> None:
        self.limit = self._pool.concurrency
        self.fill()

    @property
    def num_processes(self) -> int:
        """How many slots there are."""
        return int(self.limit)

    # -- Reports -------------------------------------------------------------------------------------------------------

    def _get_info(self) -> dict[str, Any]:
        limits = self._pool.options
        return {
            "implementation": f"pools_celery:{self.pool_name}",
            "max-concurrency": self.limit,
            "processes": self._processes() or [os.getpid()],
            "max-tasks-per-child": self.options.get("maxtasksperchild") or "N/A",
            "put-guarded-by-semaphore": True,
            "timeouts": [limits.soft_timeout or 0, limits.timeout or 0],
            "writes": "N/A",
            "pool": self._pool.info,
        }

    def _processes(self) -> list[int]:
        return [pid for (pool, _), pid in list(self._pids.items()) if pool is self._pool]

    def _on_child_started(self, pool: BasePool, child: int, pid: int) -> None:
        self._pids[pool, child] = pid

    def _on_child_exited(self, pool: BasePool, child: int, **_: Any) -> None:
        self._pids.pop((pool, child), None)
