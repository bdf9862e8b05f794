"""Point 1: one outcome, whatever races."""

from __future__ import annotations

import _queue  # which no patch replaces
import random
import time
from collections.abc import Callable

import pytest

from pools import BasePool, Job
from pools.errors import Cancelled, PoolStateError, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.looks import near_limit
from pools.testing.native import NativeThread, sleep
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, finish
from pools.testing.waiting import pause

#: Seconds of the limits that races are about: a process has its job's end told in time, a thread in much less.
LIMIT = 0.004

#: How often a race is run again that had but one outcome.
MOST_RACES = 8


def _offsets(subject: PoolUnderTest, count: int) -> list[float]:
    """Seconds by which jobs end before or after their limit."""
    dice = random.Random(1)
    return [dice.uniform(-0.15, 0.15) * LIMIT for _ in range(subject.load(count))]


@pytest.mark.needs("hard_timeout")
def test_a_result_races_with_a_hard_limit(pool: BasePool, subject: PoolUnderTest) -> None:
    """One of them is the outcome, and never a value that came after the limit."""
    offsets = _offsets(subject, 60 if subject.traits.hard_timeout == "kill" else 400)
    for record in [apply(pool, near_limit, LIMIT, offset, timeout=LIMIT) for offset in offsets]:
        record.ended()
        record.check()
        kind, outcome = record.outcome
        if kind == "value":
            assert record.job.deadline is not None
            assert outcome < record.job.deadline, "a job whose limit had passed ended as a success"
            assert record.timeouts == []
        else:
            assert isinstance(outcome, TimeLimitExceeded)
            assert record.timeouts == [(False, LIMIT)]


@pytest.mark.needs("soft_timeout")
def test_a_result_races_with_a_soft_limit(pool: BasePool, subject: PoolUnderTest) -> None:
    """One of them is the outcome, and the limit of a job never hits the one after it."""
    records = []
    for offset in _offsets(subject, 400):
        records.append(apply(pool, near_limit, LIMIT, offset, soft_timeout=LIMIT))
        records.append(apply(pool, targets.give, offset))
    finish(records)
    for number, record in enumerate(records):
        if number % 2:
            record.value()
            continue
        kind, outcome = record.outcome
        assert kind == "value" or isinstance(outcome, SoftTimeLimitExceeded)
        assert record.timeouts in ([], [(True, LIMIT)])


@pytest.mark.needs("soft_timeout", "hard_timeout")
def test_both_limits_race(pool: BasePool, subject: PoolUnderTest) -> None:
    """A job whose soft limit passes a moment before its hard limit, and ends about then, has one outcome."""
    dice = random.Random(3)
    records = []
    for _ in range(subject.load(40 if subject.traits.hard_timeout == "kill" else 200)):
        limits = {"soft_timeout": LIMIT, "timeout": LIMIT + dice.choice([0.0, 1e-5, 1e-4, 1e-3])}
        records.append(apply(pool, near_limit, LIMIT, dice.uniform(-1e-4, 2e-3), **limits))
    finish(records)
    for record in records:
        kind, outcome = record.outcome
        assert kind == "value" or isinstance(outcome, SoftTimeLimitExceeded | TimeLimitExceeded)
        assert len(set(record.timeouts)) == len(record.timeouts), f"a limit was told twice: {record!r}"


def _in_turn(jobs: _queue.SimpleQueue[Job], call: Callable[[Job], bool], count: int) -> int:
    """Make a call for each of ``count`` jobs as they come in; returns how often it was told yes."""
    return sum(call(jobs.get(timeout=patience())) for _ in range(count))


def _race(pool: BasePool, call: Callable[[Job], bool], count: int) -> list[Record]:
    """Give the pool ``count`` jobs while another thread of the system makes a call for each of them."""
    jobs: _queue.SimpleQueue[Job] = _queue.SimpleQueue()
    thread = NativeThread(pool, _in_turn, jobs, call, count)
    records = []
    for number in range(count):
        record = apply(pool, targets.give, number)
        records.append(record)
        jobs.put(record.job)
        if pool.traits.is_green:
            time.sleep(0)
    yes = thread.join()
    finish(records)
    assert sum("error" in record.kinds for record in records) == yes, f"it said yes {yes} times"
    return records


@pytest.mark.usefixtures("hasty")
def test_a_cancellation_races_with_acceptance(pool: BasePool, subject: PoolUnderTest) -> None:
    """``cancel()`` tells the truth: True and never accepted, or False and a result."""
    seen = set()
    for _ in range(MOST_RACES):
        for record in _race(pool, lambda job: job.cancel(), subject.load(1500)):
            assert record.kinds in (["error"], ["accepted", "value"])
            assert record.kinds != ["error"] or type(record.error()) is Cancelled
            seen.add(record.kinds[-1])
        if len(seen) > 1:
            break


@pytest.mark.needs("terminate")
@pytest.mark.usefixtures("hasty")
def test_a_termination_races_with_a_result(pool: BasePool, subject: PoolUnderTest) -> None:
    """``terminate()`` tells the truth: True and terminated, or False and a result."""
    every = 16 if subject.traits.hard_timeout == "kill" else 1
    for record in _race(pool, lambda job: job.id % every == 0 and job.terminate(), subject.load(1500)):
        assert record.kinds in (["error"], ["accepted", "error"], ["accepted", "value"])
        assert "error" not in record.kinds or type(record.error()) is Terminated


def _apply_till_refused(pool: BasePool, taken: list[Record]) -> None:
    """Give jobs to the pool until it takes none."""
    try:
        while True:
            taken.append(apply(pool, targets.give, None))
            sleep(1e-5)
    except PoolStateError:
        pass


@pytest.mark.parametrize("end", ["stop", pytest.param("terminate", marks=pytest.mark.needs("terminate"))])
def test_the_end_of_the_pool_races_with_new_jobs(
    open_pool: OpenPool, subject: PoolUnderTest, several: int, end: str
) -> None:
    """Each job that ``apply_async`` took, from whatever thread, has its outcome when the pool has stopped."""
    pool = open_pool(several)
    dice = random.Random(4)
    for turn in range(subject.lives(12)):
        if turn:
            pool.start()
        taken: list[list[Record]] = [[], []]
        threads = [NativeThread(pool, _apply_till_refused, pool, records) for records in taken]
        pause(dice.uniform(0.0, 3e-3))
        getattr(pool, end)()
        for thread in threads:
            thread.join()
        records = [*taken[0], *taken[1]]
        finish(records)
        for record in records:
            assert record.kinds[-1] == "value" or isinstance(record.error(), Terminated)
            assert end == "terminate" or record.kinds == ["accepted", "value"]
