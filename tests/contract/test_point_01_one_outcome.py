"""Point 1: each job ends in exactly one outcome, delivered exactly once, whatever races."""

from __future__ import annotations

import random
import time
from _queue import SimpleQueue  # as it is without any patch
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pools import BasePool, Job, current_job
from pools.errors import Cancelled, PoolStateError, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, apply, until, wait


def test_a_job_that_returns(open_pool: OpenPool) -> None:
    """``callback(value)``, once."""
    record = apply(open_pool(), divmod, 7, 2)
    assert record.value() == (3, 1)
    record.check()


def test_a_job_that_raises(open_pool: OpenPool) -> None:
    """``error_callback(exception)``, once."""
    record = apply(open_pool(), divmod, 7, 0)
    assert isinstance(record.error(), ZeroDivisionError)
    record.check()


def test_a_job_has_the_outcome_that_was_delivered(open_pool: OpenPool) -> None:
    """``job.result()``, ``job.exception()`` and ``job.state`` agree with the callbacks, whenever they are asked."""
    pool = open_pool()
    good, bad = apply(pool, divmod, 7, 2), apply(pool, divmod, 7, 0)
    error = bad.error()
    for _ in range(2):
        assert good.job.result(PATIENCE) == (3, 1)
        assert good.job.exception(PATIENCE) is None
        assert bad.job.exception(PATIENCE) is error
        with pytest.raises(ZeroDivisionError) as raised:
            bad.job.result(PATIENCE)
        assert raised.value is error
    assert (good.job.state, bad.job.state) == (JobState.SUCCEEDED, JobState.FAILED)


def test_an_outcome_is_final(open_pool: OpenPool) -> None:
    """A job that has its outcome can neither be cancelled nor terminated."""
    record = apply(open_pool(), divmod, 7, 2)
    record.ended()
    assert not record.job.cancel()
    assert not record.job.terminate()
    assert record.job.state is JobState.SUCCEEDED
    record.check()


def test_the_outcome_is_there_when_it_is_delivered(open_pool: OpenPool) -> None:
    """Whoever is told of it may ask the job for it."""
    pool = open_pool()
    jobs: list[Job] = []
    seen: list[Any] = []
    told = pool.new_event()

    def target() -> int:
        job = current_job()
        assert job is not None
        jobs.append(job)
        return 1

    def callback(value: int) -> None:
        seen.append((value, jobs[0].done(), jobs[0].result(0)))
        told.set()

    pool.apply_async(target, callback=callback)
    wait(told)
    assert seen == [(1, True, 1)]


def near_limit(seconds: float, offset: float) -> float:
    """A job that ends ``offset`` seconds after ``seconds`` of it."""
    job = current_job()
    assert job is not None
    assert job.accepted_at is not None
    return until(job.accepted_at + seconds + offset)


@pytest.mark.needs("hard_timeout")
def test_a_result_races_with_a_hard_limit(open_pool: OpenPool, several: int) -> None:
    """One of them is the outcome, and never a value that came after the limit."""
    pool = open_pool(several)
    dice = random.Random(1)
    ends = []
    for _ in range(10):
        records = [apply(pool, near_limit, 0.002, dice.uniform(-3e-4, 3e-4), timeout=0.002) for _ in range(100)]
        for record in records:
            record.ended()
            record.check()
            kind, outcome = record.history[-1]
            ends.append(kind)
            if kind == "value":
                assert record.job.deadline is not None
                assert outcome < record.job.deadline
                assert record.timeouts == []
            else:
                assert isinstance(outcome, TimeLimitExceeded)
                assert record.timeouts == [(False, 0.002)]
    assert ends.count("error") >= 100


@pytest.mark.needs("soft_timeout")
def test_a_result_races_with_a_soft_limit(open_pool: OpenPool, several: int) -> None:
    """One of them is the outcome; the limit does not appear beside a value."""
    pool = open_pool(several)
    dice = random.Random(2)
    ends = []
    for _ in range(10):
        records = [apply(pool, near_limit, 0.002, dice.uniform(-3e-4, 3e-4), soft_timeout=0.002) for _ in range(100)]
        for record in records:
            record.ended()
            record.check()
            kind, outcome = record.history[-1]
            ends.append(kind)
            assert kind == "value" or isinstance(outcome, SoftTimeLimitExceeded)
            assert record.timeouts in ([], [(True, 0.002)])
    assert ends.count("error") >= 100


@pytest.mark.needs("soft_timeout", "hard_timeout")
def test_both_limits_race(open_pool: OpenPool, several: int) -> None:
    """A job whose soft limit passes a moment before its hard limit, and ends about then, has one outcome."""
    pool = open_pool(several)
    dice = random.Random(3)
    for _ in range(5):
        records = []
        for _ in range(100):
            limits = {"soft_timeout": 0.002, "timeout": 0.002 + dice.choice([0.0, 1e-5, 1e-4, 3e-4])}
            records.append(apply(pool, near_limit, 0.002, dice.uniform(-1e-4, 5e-4), **limits))
        for record in records:
            record.ended()
            record.check()
            kind, outcome = record.history[-1]
            assert kind == "value" or isinstance(outcome, SoftTimeLimitExceeded | TimeLimitExceeded)
            assert len(set(record.timeouts)) == len(record.timeouts)


def in_turn(jobs: SimpleQueue[Job], call: Callable[[Job], bool], count: int) -> int:
    """Make a call for each of ``count`` jobs as they come in; returns how often it was told yes."""
    return sum(call(jobs.get(timeout=PATIENCE)) for _ in range(count))


def race(pool: BasePool, call: Callable[[Job], bool], target: Callable[[], object], count: int) -> list[Record]:
    """Give the pool ``count`` jobs while another thread of the system makes a call for each of them."""
    jobs: SimpleQueue[Job] = SimpleQueue()
    thread = NativeThread(pool, in_turn, jobs, call, count)
    records = []
    for _ in range(count):
        record = apply(pool, target)
        records.append(record)
        jobs.put(record.job)
        if pool.traits.is_green:
            time.sleep(0)
    yes = thread.join()
    for record in records:
        record.ended()
        record.check()
    assert sum("error" in record.kinds for record in records) == yes
    return records


def short() -> None:
    """A job that lets others run once."""
    time.sleep(0)


def test_a_cancellation_races_with_acceptance(open_pool: OpenPool, several: int) -> None:
    """``cancel()`` tells the truth: True and never accepted, or False and a result."""
    for record in race(open_pool(several), lambda job: job.cancel(), short, 2000):
        assert record.kinds in (["error"], ["accepted", "value"])
        assert record.kinds != ["error"] or isinstance(record.error(), Cancelled)


@pytest.mark.needs("terminate")
def test_a_termination_races_with_a_result(open_pool: OpenPool, several: int) -> None:
    """``terminate()`` tells the truth: True and terminated, or False and a result."""
    for record in race(open_pool(several), lambda job: job.terminate(), short, 2000):
        assert record.kinds in (["error"], ["accepted", "error"], ["accepted", "value"])
        assert "error" not in record.kinds or isinstance(record.error(), Terminated)


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_the_end_of_the_pool_races_with_new_jobs(open_pool: OpenPool, several: int, end: str) -> None:
    """Each job that ``apply_async`` took, from whatever thread, has its outcome when the pool has stopped."""
    pool = open_pool(several)
    dice = random.Random(4)
    for _ in range(50):
        taken: list[list[Record]] = [[], []]
        threads = [NativeThread(pool, apply_till_refused, pool, records) for records in taken]
        until(monotonic() + dice.uniform(0.0, 2e-3))
        getattr(pool, end)()
        for thread in threads:
            thread.join()
        for record in [*taken[0], *taken[1]]:
            record.ended()
            record.check()
            assert record.history[-1][0] == "value" or isinstance(record.error(), Terminated)
            assert end == "terminate" or record.kinds == ["accepted", "value"]
        pool.start()


def apply_till_refused(pool: BasePool, taken: list[Record]) -> None:
    """Give jobs to the pool until it takes none."""
    try:
        while True:
            taken.append(apply(pool, short))
    except PoolStateError:
        pass


STEPS = ("return", "raise", "yield", "cancel", "terminate", "grow", "shrink", "limited", "restart")


@given(schedule=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9)), max_size=60), end=st.booleans())
@settings(max_examples=100)
def test_any_schedule(open_pool: OpenPool, schedule: list[tuple[str, int]], end: bool) -> None:
    """Whatever is asked of a pool and its jobs, in whatever order."""
    pool = open_pool(1)
    records: list[Record] = []
    for step, number in schedule:
        take_step(pool, pool.traits, records, step, number)
    if end:
        pool.terminate()
    else:
        pool.stop()
    for record in records:
        record.ended()
        record.check()


def take_step(pool: BasePool, traits: Traits, records: list[Record], step: str, number: int) -> None:
    """Ask for one thing, if the pool can do it."""
    if step == "return":
        records.append(apply(pool, int))
    elif step == "raise":
        records.append(apply(pool, divmod, 1, 0))
    elif step == "yield":
        records.append(apply(pool, short))
    elif step == "limited" and traits.hard_timeout:
        records.append(apply(pool, near_limit, 0.001, number * 1e-4, timeout=0.001))
    elif step == "restart":
        pool.restart()
    elif step in ("cancel", "terminate") and records:
        record = records[-1 - number % len(records)]
        if step == "cancel" or traits.terminate:
            getattr(record.job, step)()
    elif step == "grow" and traits.resize:
        pool.grow(1 + number)
    elif step == "shrink" and traits.resize and pool.concurrency > 1:
        pool.shrink(1 + number % (pool.concurrency - 1))
