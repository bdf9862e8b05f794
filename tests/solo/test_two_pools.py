"""A process has one timer, and several solo pools keep their limits by it."""

from __future__ import annotations

import signal
from time import monotonic

import pytest

import pools
from pools.errors import SoftTimeLimitExceeded
from tests.contract.records import PATIENCE, Record, apply


def compute(seconds: float) -> str:
    end = monotonic() + seconds
    while monotonic() < end:
        pass
    return "computed"


def is_cut_in_time(record: Record) -> bool:
    return isinstance(record.error(), SoftTimeLimitExceeded)


def test_each_keeps_its_own_limits() -> None:
    """Whichever of them had the timer last."""
    with pools.open("solo") as first, pools.open("solo") as second:
        for pool in (first, second, first, second, second, first):
            assert is_cut_in_time(apply(pool, compute, PATIENCE, soft_timeout=0.02))


@pytest.mark.parametrize("closed", ["the first", "the second"])
def test_one_goes_on_when_the_other_has_ended(closed: str) -> None:
    before = signal.getsignal(signal.SIGALRM)
    both = pools.open("solo"), pools.open("solo")
    for pool in both:
        assert is_cut_in_time(apply(pool, compute, PATIENCE, soft_timeout=0.02))
    ended, left = both if closed == "the first" else reversed(both)
    ended.stop(timeout=PATIENCE)
    assert is_cut_in_time(apply(left, compute, PATIENCE, soft_timeout=0.02))
    assert signal.getsignal(signal.SIGALRM) is not before
    left.stop(timeout=PATIENCE)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_job_has_its_limit_after_a_job_of_another_pool() -> None:
    """The other's job set the timer to its own limit, and has ended since."""
    with pools.open("solo") as outer, pools.open("solo") as inner:

        def submit_and_compute() -> str:
            assert inner.apply_async(compute, (0.01,), soft_timeout=PATIENCE).result(0) == "computed"
            return compute(PATIENCE)

        assert is_cut_in_time(apply(outer, submit_and_compute, soft_timeout=0.1))
