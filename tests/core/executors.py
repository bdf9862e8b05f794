"""The pools on which the tests of the executor run: in this process, or in one that is patched for a green pool."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pools import PoolExecutor

#: Names the pool that the whole process was patched for.
VARIABLE = "EXECUTOR_TESTS_ON"

POOLS = [os.environ[VARIABLE]] if VARIABLE in os.environ else ["solo", "threads"]

on_every_pool = pytest.mark.parametrize("pool", POOLS)
#: For what takes two jobs at once, or one beside the test.
on_concurrent_pools = pytest.mark.parametrize("pool", [name for name in POOLS if name != "solo"])

#: Seconds after which a test gives up waiting for what must happen.
PATIENCE = 20.0

#: What a call is refused with after a shutdown, as a pattern.
AFTER_SHUTDOWN = "^cannot schedule new futures after shutdown$"


def wait(event: threading.Event) -> None:
    """Wait for an event that must come."""
    assert event.wait(PATIENCE), f"nothing happened in {PATIENCE} s"


def fail(message: str) -> None:
    """A job that fails."""
    raise ValueError(message)


class Gate:
    """A job that shows that it has begun, and ends when it may: ``submit(gate)``."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()

    def __call__(self, value: Any = None) -> Any:
        self.begun.set()
        wait(self.open)
        return value


@contextmanager
def busy(executor: PoolExecutor) -> Iterator[Gate]:
    """An executor of which one slot is busy, until the gate is opened or the block ends."""
    gate = Gate()
    executor.submit(gate)
    wait(gate.begun)
    try:
        yield gate
    finally:
        gate.open.set()


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true."""
    give_up_at = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up_at, f"{condition} is not true after {PATIENCE} s"
        time.sleep(0.001)
