"""A limit lands where its job stands, but never in the middle of what the job has a pool do."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

import pools
from pools import BasePool
from pools.errors import SoftTimeLimitExceeded, TimeLimitExceeded
from tests.contract.records import PATIENCE, apply, spend, wait

pytestmark = pytest.mark.usefixtures("no_garbage_collection")

#: How often each race is run.
ROUNDS = 200

limits = pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])


def interrupt(pool: BasePool, step: Callable[[BasePool], object], limit: str, seconds: float) -> None:
    """Have jobs take a step again and again until their limits land."""

    def take_steps() -> None:
        give_up_at = monotonic() + PATIENCE
        while monotonic() < give_up_at:
            step(pool)

    options: dict[str, Any] = {limit: seconds}
    for record in [apply(pool, take_steps, **options) for _ in range(2)]:
        assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
        record.check()


@contextlib.contextmanager
def stopping_its_timer(pool: BasePool) -> Iterator[None]:
    """Stop the pool's timer again and again, so that its next call starts a thread."""
    done = threading.Event()

    def stop() -> None:
        while not done.is_set():
            pool.timer.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(PATIENCE)


@limits
def test_a_limit_cuts_no_submission(limit: str) -> None:
    """Each job that was submitted ends, and each slot is given back; most submissions start a thread."""
    dice = random.Random(9)
    release = threading.Event()

    def step(pool: BasePool) -> None:
        pool.apply_async(wait, (release,))

    for _ in range(ROUNDS):
        release.clear()
        pool = pools.open("threads", 30)
        interrupt(pool, step, limit, dice.uniform(2e-4, 1e-3))
        release.set()
        pool.close()
        assert pool.join(PATIENCE), pool.info
        pool.stop()


@limits
def test_a_limit_cuts_no_call_of_a_timer(limit: str) -> None:
    """A timer, whose thread is started anew for most calls, goes on, and stops."""
    dice = random.Random(10)
    made = threading.Event()
    with pools.open("threads", 2) as pool, stopping_its_timer(pool):
        for _ in range(ROUNDS):
            interrupt(pool, lambda pool: pool.timer.call_after(0.0, int), limit, dice.uniform(2e-4, 1e-3))
    with pool:
        pool.timer.call_after(0.0, made.set)
        wait(made)


@limits
def test_a_limit_cuts_no_end_of_another_job(limit: str) -> None:
    """A job that is cancelled or terminated by one whose limit lands has its outcome nevertheless."""
    dice = random.Random(11)

    def step(pool: BasePool) -> None:
        # Not with an event, whose lock would never be released if the termination came as it was taken.
        pool.apply_async(spend, (0.005,)).terminate()
        pool.apply_async(spend, (0.005,)).cancel()

    for _ in range(ROUNDS):
        pool = pools.open("threads", 6)
        interrupt(pool, step, limit, dice.uniform(2e-4, 1e-3))
        pool.close()
        assert pool.join(PATIENCE), pool.info
        pool.stop()
