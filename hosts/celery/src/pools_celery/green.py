"""TaskPool for pools of greenlets: what Celery asks of these alone."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from typing import Any

from pools.green import GreenPool
from pools_celery.taskpool import TaskPool

#: The signals by which a worker is told to end.
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class GreenTaskPool(TaskPool):
    """A worker pool of greenlets: Celery's own loop runs in one, and what controls the worker in another.

    Python calls a signal handler in whatever greenlet runs, mostly the hub's, which must not wait; and Celery's
    handlers wait for the result backend. So they are called in a greenlet of their own.
    """

    is_green = True
    task_join_will_block = False
    tasks_may_hold_worker = True
    _pool: GreenPool

    def on_start(self) -> None:
        """Open the pool; Celery has set its signal handlers by now."""
        super().on_start()
        self._handlers: dict[int, Any] = {}
        self._handling = 0
        self._deferred: list[Callable[[], object]] = []
        # A worker that does not run on the main thread has no handlers.
        with contextlib.suppress(ValueError):
            self._take_handlers()

    def spawn_n(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` in a greenlet of its own."""
        self._pool.spawn(fn, *args)

    def defer(self, fn: Callable[[], object]) -> None:
        """See :meth:`TaskPool.defer`. What a signal handler asks for is done when it has told everybody else."""
        if self._handling:
            self._deferred.append(fn)
        else:
            self._pool.spawn(fn)

    # -- For remote control --------------------------------------------------------------------------------------------

    def start_thread(self, fn: Callable[[], object]) -> None:
        """See :meth:`TaskPool.start_thread`. The thread has a hub of its own."""
        self._pool.start_thread(fn)

    def call_in_worker(self, fn: Callable[..., object], *args: Any) -> None:
        """See :meth:`TaskPool.call_in_worker`. The call is made in a greenlet of its own."""
        self._pool.run_soon_threadsafe(self._pool.spawn, fn, *args)

    # -- Signals -------------------------------------------------------------------------------------------------------

    def _take_handlers(self) -> None:
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler) and handler != self._on_signal:
                self._handlers[number] = handler
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, *_: object) -> None:
        self._pool.spawn(self._handle, number)

    def _handle(self, number: int) -> None:
        self._handling += 1
        try:
            self._handlers[number](number, None)
        finally:
            self._handling -= 1
            # Celery's handlers set others for the next time.
            self._take_handlers()
            while self._deferred:
                self._pool.spawn(self._deferred.pop())
