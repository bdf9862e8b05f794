"""How tasks come to slots: they wait here, and not in the pool, until there is a slot for them.

So a task that was revoked or has expired meanwhile is seen to be when it would begin, and one of a connection that is
lost is not begun at all.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from celery.worker import state

from pools.errors import BrokenPoolError, UnsupportedError
from pools.pool import BasePool
from pools.states import PoolState
from pools_celery.execution import Execution

log = logging.getLogger(__name__)


class Feeder:
    """Gives a pool as many tasks as it has slots.

    Attributes:
        given: What the pool was given and has not ended.
        running: What runs, by what Celery knows its slot by.
    """

    _pool: BasePool

    def __init__(self) -> None:
        self._waiting: deque[Execution] = deque()
        self.given: set[Execution] = set()
        self.running: dict[int, Execution] = {}
        self._choosing = threading.Lock()

    def add(self, execution: Execution) -> None:
        """Have a task run, as soon as there is a slot."""
        self._waiting.append(execution)
        self.fill()

    def fill(self) -> None:
        """Give the pool tasks that wait, for as long as it has slots for them."""
        while (execution := self._next()) is not None:
            if execution.dropped or execution.is_revoked():
                self.finish(execution)
            else:
                self._give(execution)

    def _next(self) -> Execution | None:
        with self._choosing:
            if not self._waiting or len(self.given) >= self._pool.concurrency:
                return None
            if self._pool.state is not PoolState.RUNNING:  # it restarts
                return None
            execution = self._waiting.popleft()
            self.given.add(execution)
            return execution

    def _give(self, execution: Execution) -> None:
        soft_timeout, timeout = execution.limits
        try:
            execution.job = self._pool.apply_async(
                execution.target,
                execution.args,
                execution.kwargs,
                callback=execution.on_value,
                error_callback=execution.on_error,
                accept_callback=execution.on_accepted,
                timeout_callback=execution.on_timeout,
                soft_timeout=soft_timeout,
                timeout=timeout,
                correlation_id=execution.correlation_id,
            )
        except BrokenPoolError as error:
            log.critical("The worker ends, as its pool cannot go on: %s", error)
            execution.dropped = True
            self.finish(execution)
            state.should_stop = 1
        except (UnsupportedError, ValueError) as error:
            execution.refuse(error)
        # Whoever asked for its end meanwhile found no job.
        execution.end()

    def drop_waiting(self) -> None:
        """Forget the tasks that wait."""
        while self._waiting:
            self._waiting.popleft().dropped = True

    def drop_given(self) -> None:
        """Tell Celery nothing more of the tasks that the pool has."""
        for execution in list(self.given):
            execution.dropped = True

    def begin(self, execution: Execution) -> None:
        """A slot has begun a task."""
        assert execution.worker_pid is not None
        self.running[execution.worker_pid] = execution

    def finish(self, execution: Execution) -> None:
        """A task has ended, or is not begun: there is a slot for another one."""
        if execution.worker_pid is not None and self.running.get(execution.worker_pid) is execution:
            del self.running[execution.worker_pid]
        self.given.discard(execution)
        self.fill()

    def withdraw(self, execution: Execution) -> bool:
        """Take back a task that waits; returns whether it did."""
        try:
            self._waiting.remove(execution)
        except ValueError:
            return False
        return True
