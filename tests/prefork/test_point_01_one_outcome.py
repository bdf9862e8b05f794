"""Point 1: each job ends in exactly one outcome, delivered exactly once, whatever races."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pools import BasePool, Job
from pools.errors import Cancelled, PoolStateError, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from pools.states import JobState
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, apply
from tests.prefork.conftest import OpenPool
from tests.prefork.targets import echo, near_limit, spend


@pytest.fixture(autouse=True)
def _hasty() -> Iterator[None]:
    """Threads take turns often: what can come between comes between."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(2e-5)
    yield
    sys.setswitchinterval(interval)


def check_all(records: list[Record]) -> None:
    """Hold each of them to points 1 and 2."""
    for record in records:
        record.ended()
        record.check()


def test_values_and_errors(open_pool: OpenPool) -> None:
    """``job.result()``, ``job.exception()`` and ``job.state`` agree with the callbacks, whenever they are asked."""
    pool = open_pool()
    good, bad = apply(pool, divmod, 7, 2), apply(pool, divmod, 7, 0)
    error = bad.error()
    assert good.value() == (3, 1)
    check_all([good, bad])
    for _ in range(2):
        assert good.job.result(PATIENCE) == (3, 1)
        with pytest.raises(ZeroDivisionError) as raised:
            bad.job.result(PATIENCE)
        assert raised.value is error
    assert (good.job.state, bad.job.state) == (JobState.SUCCEEDED, JobState.FAILED)
    assert not good.job.cancel()
    assert not good.job.terminate()
    check_all([good, bad])


def test_a_result_races_with_a_hard_limit(open_pool: OpenPool) -> None:
    """One of them is the outcome, and never a value that came after the limit."""
    pool = open_pool(2)
    dice = random.Random(1)
    records = [apply(pool, near_limit, 0.005, dice.uniform(-6e-4, 2e-4), timeout=0.005) for _ in range(120)]
    check_all(records)
    late = 0
    for record in records:
        kind, outcome = record.history[-1]
        if kind == "value":
            assert record.job.deadline is not None
            assert outcome < record.job.deadline
            assert record.timeouts == []
        else:
            late += 1
            assert isinstance(outcome, TimeLimitExceeded)
            assert record.timeouts == [(False, 0.005)]
    assert late > 10


def test_a_result_races_with_a_soft_limit(open_pool: OpenPool) -> None:
    """One of them is the outcome, and the limit of a job never hits the one after it."""
    pool = open_pool(2)
    dice = random.Random(2)
    records = []
    for number in range(1200):
        records.append(apply(pool, near_limit, 0.002, dice.uniform(-1e-3, 1e-3), soft_timeout=0.002))
        records.append(apply(pool, echo, number))
    check_all(records)
    late = 0
    for number, record in enumerate(records):
        if number % 2:
            assert record.value() == number // 2
        elif record.history[-1][0] == "error":
            late += 1
            assert isinstance(record.error(), SoftTimeLimitExceeded)
            assert record.timeouts == [(True, 0.002)]
        else:
            assert record.timeouts in ([], [(True, 0.002)])
    assert 100 < late < 1200


def test_both_limits_race(open_pool: OpenPool) -> None:
    """A job whose soft limit passes a moment before its hard limit, and ends about then, has one outcome."""
    pool = open_pool(2)
    dice = random.Random(3)
    records = []
    for _ in range(120):
        limits: dict[str, Any] = {"soft_timeout": 0.005, "timeout": 0.005 + dice.choice([0.0, 1e-4, 1e-3])}
        records.append(apply(pool, near_limit, 0.005, dice.uniform(-5e-4, 1e-3), **limits))
    check_all(records)
    for record in records:
        kind, outcome = record.history[-1]
        assert kind == "value" or isinstance(outcome, SoftTimeLimitExceeded | TimeLimitExceeded)
        assert len(set(record.timeouts)) == len(record.timeouts)


def race(pool: BasePool, call: Callable[[Job], bool], count: int) -> list[Record]:
    """Give the pool ``count`` jobs while two other threads make a call for each of them."""
    queues: list[SimpleQueue[Job]] = [SimpleQueue(), SimpleQueue()]
    threads = [NativeThread(pool, in_turn, jobs, call, count // 2) for jobs in queues]
    records = []
    for number in range(count):
        record = apply(pool, echo, number)
        records.append(record)
        queues[number % 2].put(record.job)
    yes = sum(thread.join() for thread in threads)
    check_all(records)
    assert sum("error" in record.kinds for record in records) == yes
    return records


def in_turn(jobs: SimpleQueue[Job], call: Callable[[Job], bool], count: int) -> int:
    """Make a call for each of ``count`` jobs as they come in; returns how often it was told yes."""
    return sum(call(jobs.get(timeout=PATIENCE)) for _ in range(count))


def test_a_cancellation_races_with_acceptance(open_pool: OpenPool) -> None:
    """``cancel()`` tells the truth: True and never accepted, or False and a result; whoever looks meanwhile."""
    pool = open_pool(3)
    looks = True

    def look() -> None:
        while looks:
            pool.info  # noqa: B018  # it asks the children what they have begun

    watcher = Thread(target=look)
    watcher.start()
    for record in race(pool, lambda job: job.cancel(), 6000):
        assert record.kinds in (["error"], ["accepted", "value"])
        assert record.kinds != ["error"] or isinstance(record.error(), Cancelled)
    looks = False
    watcher.join()


def test_a_job_that_was_cancelled_has_not_run(open_pool: OpenPool) -> None:
    """And one that was not has run once."""
    pool = open_pool(2)
    before, dice = [], random.Random(7)
    for _ in range(200):
        records = [apply(pool, count_here) for _ in range(20)]
        for record in dice.sample(records, 10):
            record.job.cancel()
        before += records
    check_all(before)
    counts = [record.history[-1][1] for record in before if record.kinds[-1] == "value"]
    # Every child has counted without a gap: the jobs that it ran are those that succeeded.
    for child in {pid for pid, _ in counts}:
        mine = sorted(count for pid, count in counts if pid == child)
        assert mine == list(range(1, len(mine) + 1))


_counted = 0


def count_here() -> tuple[int, int]:
    """How many such jobs this child has run."""
    import os

    global _counted
    _counted += 1
    return os.getpid(), _counted


def test_a_termination_races_with_a_result(open_pool: OpenPool) -> None:
    """``terminate()`` tells the truth: True and terminated, or False and a result; other jobs notice nothing."""
    pool = open_pool(2)
    for record in race(pool, lambda job: job.id % 16 == 0 and job.terminate(), 2000):
        assert record.kinds in (["error"], ["accepted", "error"], ["accepted", "value"])
        assert "error" not in record.kinds or isinstance(record.error(), Terminated)


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_the_end_of_the_pool_races_with_new_jobs(open_pool: OpenPool, end: str) -> None:
    """Each job that ``apply_async`` took, from whatever thread, has its outcome when the pool has stopped."""
    pool = open_pool(2)
    dice = random.Random(4)
    for _ in range(12):
        taken: list[list[Record]] = [[], []]
        threads = [NativeThread(pool, apply_till_refused, pool, records) for records in taken]
        time.sleep(dice.uniform(0.0, 0.02))
        getattr(pool, end)()
        for thread in threads:
            thread.join()
        records = [*taken[0], *taken[1]]
        check_all(records)
        for record in records:
            assert record.history[-1][0] == "value" or isinstance(record.error(), Terminated)
            assert end == "terminate" or record.kinds == ["accepted", "value"]
        pool.start()


def apply_till_refused(pool: BasePool, taken: list[Record]) -> None:
    """Give jobs to the pool until it takes none."""
    try:
        while True:
            taken.append(apply(pool, echo, None))
    except PoolStateError:
        pass


def test_a_rolling_restart_races_with_jobs(open_pool: OpenPool) -> None:
    """No job notices one, however many there are."""
    pool = open_pool(2)
    records: list[Record] = []
    ends = monotonic() + 1.5

    def submit() -> None:
        while monotonic() < ends:
            records.extend(apply(pool, echo, number) for number in range(20))
            records[-1].ended()

    threads = [NativeThread(pool, submit) for _ in range(2)]
    restarts = 0
    while monotonic() < ends:
        pool.restart()
        restarts += 1
    for thread in threads:
        thread.join()
    check_all(records)
    assert restarts
    assert {tuple(record.kinds) for record in records} == {("accepted", "value")}
    assert len(pool.info["children"]) == 2


def test_resizes_race_with_jobs(open_pool: OpenPool) -> None:
    """No job notices one."""
    pool = open_pool(2)
    dice = random.Random(5)
    records: list[Record] = []
    for _ in range(30):
        records += [apply(pool, spend, 0.001) for _ in range(20)]
        if dice.random() < 0.5:
            pool.grow(dice.randint(1, 2))
        elif pool.concurrency > 1:
            pool.shrink()
        if pool.concurrency > 5:
            pool.shrink(4)
    check_all(records)
    assert {tuple(record.kinds) for record in records} == {("accepted", "value")}


STEPS = ("return", "raise", "sleep", "cancel", "terminate", "grow", "shrink", "limited", "restart", "soft")


@given(schedule=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 3)), max_size=30), end=st.booleans())
@settings(max_examples=12)
def test_any_schedule(open_pool: OpenPool, schedule: list[tuple[str, int]], end: bool) -> None:
    """Whatever is asked of a pool and its jobs, in whatever order."""
    pool = open_pool(1)
    records: list[Record] = []
    for step, number in schedule:
        take_step(pool, records, step, number)
    if end:
        pool.terminate()
    else:
        pool.stop()
    check_all(records)


def take_step(pool: BasePool, records: list[Record], step: str, number: int) -> None:
    """Ask for one thing."""
    jobs: dict[str, tuple[Any, ...]] = {
        "return": (int,),
        "raise": (divmod, 1, 0),
        "sleep": (spend, 0.001),
        "limited": (near_limit, 0.002, number * 2e-3),
        "soft": (near_limit, 0.002, number * 1e-3),
    }
    limits: dict[str, dict[str, Any]] = {"limited": {"timeout": 0.003}, "soft": {"soft_timeout": 0.003}}
    if step in jobs:
        records.append(apply(pool, *jobs[step], **limits.get(step, {})))
    elif step == "restart":
        pool.restart()
    elif step in ("cancel", "terminate") and records:
        getattr(records[-1 - number % len(records)].job, step)()
    elif step == "grow" and pool.concurrency < 4:
        pool.grow(1 + number % 2)
    elif step == "shrink" and pool.concurrency > 1:
        pool.shrink(1 + number % (pool.concurrency - 1))
