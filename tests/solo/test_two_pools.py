"""A process has one timer, and several solo pools keep their limits by it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

import pools
from pools import BasePool
from pools.errors import SoftTimeLimitExceeded
from tests.contract.records import PATIENCE, apply, spend


def is_cut_in_time(pool: BasePool, target: Callable[..., Any], *args: Any, limit: float = 0.02) -> bool:
    """Whether a job that would go on for long is ended by its limit, and not told of it when it has ended."""
    began = monotonic()
    error = apply(pool, target, *args, soft_timeout=limit).error()
    return isinstance(error, SoftTimeLimitExceeded) and monotonic() - began < PATIENCE / 2


def test_each_keeps_its_own_limits() -> None:
    """Whichever of them had the timer last."""
    with pools.open("solo") as first, pools.open("solo") as second:
        for pool in (first, second, first, second, second, first):
            assert is_cut_in_time(pool, spend, PATIENCE)


@pytest.mark.parametrize("closed", ["the first", "the second"])
def test_one_goes_on_when_the_other_has_ended(closed: str) -> None:
    before = signal.getsignal(signal.SIGALRM)
    both = pools.open("solo"), pools.open("solo")
    for pool in both:
        assert is_cut_in_time(pool, spend, PATIENCE)
    ended, left = both if closed == "the first" else reversed(both)
    ended.stop(timeout=PATIENCE)
    assert is_cut_in_time(left, spend, PATIENCE)
    assert signal.getsignal(signal.SIGALRM) is not before
    left.stop(timeout=PATIENCE)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_job_has_its_limit_after_a_job_of_another_pool() -> None:
    """The other's job set the timer to its own limit, and has ended since."""
    with pools.open("solo") as outer, pools.open("solo") as inner:

        def submit_and_spend() -> None:
            inner.apply_async(spend, (0.01,), soft_timeout=PATIENCE).result(0)
            spend(PATIENCE)

        assert is_cut_in_time(outer, submit_and_spend, limit=0.1)
