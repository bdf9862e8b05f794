"""One task on its way through the pool: what becomes of its job, told in Celery's terms."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import celery

from pools import errors
from pools.job import Job
from pools_celery.errors import exception_info

if TYPE_CHECKING:
    from pools_celery.taskpool import TaskPool

log = logging.getLogger(__name__)

#: Whether Celery does all that a failure calls for when it hears of a hard limit. Before 5.7 it sends no
#: ``task_failure`` then, and waits to hear of the failure as well.
_LIMIT_IS_THE_END = celery.VERSION >= (5, 7)


class Execution:
    """One call of ``TaskPool.apply_async``, and what Celery gets from it: it refers to it weakly.

    Celery is told that it was accepted, and then of one end, in the thread in which Celery wants to hear of it.

    Attributes:
        target: What to call.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        limits: Its soft and its hard limit; None where the worker's own hold.
        correlation_id: The task's id.
        job: Its job, once the pool has it.
        worker_pid: What Celery knows its slot by, once it was accepted.
        dropped: Whether Celery is to hear nothing more of it.
        announced: Whether Celery tells of its end by itself, if it is terminated.
    """

    __slots__ = (
        "__weakref__",
        "_accept",
        "_error_callback",
        "_pool",
        "_signal",
        "_timeout_callback",
        "_value_callback",
        "announced",
        "args",
        "correlation_id",
        "dropped",
        "job",
        "kwargs",
        "limits",
        "target",
        "worker_pid",
    )

    def __init__(
        self,
        pool: TaskPool,
        target: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None,
        limits: tuple[float | None, float | None],
        correlation_id: str | None,
        accept_callback: Callable[[int, float], object] | None,
        timeout_callback: Callable[[bool, float], object] | None,
        callback: Callable[[Any], object] | None,
        error_callback: Callable[[Any], object] | None,
    ) -> None:
        self._pool = pool
        self.target = target
        self.args = args
        self.kwargs = kwargs
        self.limits = limits
        self.correlation_id = correlation_id
        self._accept = accept_callback
        self._timeout_callback = timeout_callback
        self._value_callback = callback
        self._error_callback = error_callback
        self._signal: int | None = None
        self.job: Job | None = None
        self.worker_pid: int | None = None
        self.dropped = self.announced = False

    def is_revoked(self) -> bool:
        """Whether the task was revoked or has expired while it waited; Celery has told everybody then."""
        # Celery gives methods of its request as callbacks, and nothing by which the request could be asked otherwise.
        request = getattr(self._accept, "__self__", None)
        revoked = getattr(request, "revoked", None)
        return revoked is not None and bool(revoked())

    def terminate(self, signal: int) -> None:
        """End it, soon, whether it runs or not. May be called in a signal handler."""
        self._signal = signal
        self._pool.defer(self.end)

    def end(self) -> None:
        """End it now, if its end was asked for and the pool has it."""
        if self._signal is None or self.dropped:
            return
        if self.job is None:
            if self._pool.withdraw(self):
                self._tell_end(self._error_callback, exception_info(errors.Terminated(), self._signal))
        else:
            try:
                self.job.terminate(self._signal)
            except errors.UnsupportedError as error:
                log.warning("task %s goes on: %s", self.correlation_id, error)

    def refuse(self, error: Exception) -> None:
        """The pool cannot run it."""
        self._pool.deliver(self._on_error, error)

    # -- Callbacks of its job, wherever the pool calls them ------------------------------------------------------------

    def on_accepted(self, slot_id: int, accepted_at: float) -> None:
        """Its slot begins it."""
        self._pool.deliver(self._on_accepted, self._pool.pid_of(slot_id), accepted_at)

    def on_timeout(self, soft: bool, seconds: float) -> None:
        """A limit has passed."""
        self._pool.deliver(self._on_timeout, soft, seconds)

    def on_value(self, value: Any) -> None:
        """Its call has returned."""
        self._pool.deliver(self._on_end, self._value_callback, value)

    def on_error(self, error: BaseException) -> None:
        """It ended in any other way."""
        self._pool.deliver(self._on_error, error)

    # -- What they come to, in Celery's thread -------------------------------------------------------------------------

    def _on_accepted(self, worker_pid: int, accepted_at: float) -> None:
        if self.dropped:
            return
        self.worker_pid = worker_pid
        self._pool.begin(self)
        if self._accept is not None:
            self._call(self._accept, worker_pid, accepted_at)

    def _on_timeout(self, soft: bool, seconds: float) -> None:
        if not self.dropped and self._timeout_callback is not None:
            self._call(self._timeout_callback, soft, seconds)

    def _on_error(self, error: BaseException) -> None:
        is_limit = isinstance(error, errors.TimeLimitExceeded)
        told = _LIMIT_IS_THE_END and self._timeout_callback is not None if is_limit else self.announced
        if told and isinstance(error, errors.TimeLimitExceeded | errors.Terminated):
            # For Celery that was the end already: told twice, it would store and signal twice.
            self._on_end(None, None)
            return
        if self.worker_pid is None and not isinstance(error, errors.Terminated | errors.Cancelled):
            # It was never begun, and fails: Celery acknowledges what is accepted.
            self._on_accepted(self._pool.pid_of(0), time.monotonic())
        self._on_end(self._error_callback, exception_info(error, self._signal))

    def _on_end(self, callback: Callable[[Any], object] | None, value: Any) -> None:
        # First of all, so that the slot is at work while Celery deals with this.
        self._pool.finish(self)
        self._tell_end(callback, value)

    def _tell_end(self, callback: Callable[[Any], object] | None, value: Any) -> None:
        if not self.dropped:
            self.dropped = True
            if callback is not None:
                self._call(callback, value)

    def _call(self, callback: Callable[..., object], *args: Any) -> None:
        try:
            callback(*args)
        except Exception:
            log.exception("Celery's %r of task %s raised", callback, self.correlation_id)
