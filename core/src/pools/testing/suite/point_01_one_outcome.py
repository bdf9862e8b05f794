"""Point 1: each job ends in exactly one outcome, delivered exactly once."""

from __future__ import annotations

from typing import Any

import pytest

from pools import BasePool, Job
from pools.errors import Terminated
from pools.states import JobState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish, launch
from pools.testing.waiting import pause, wait


def test_a_job_that_returns(one: BasePool) -> None:
    """``callback(value)``, once, and nothing else."""
    record = apply(one, divmod, 7, 2)
    assert record.value() == (3, 1)
    record.check()
    assert record.kinds == ["accepted", "value"]


def test_a_job_that_raises(one: BasePool) -> None:
    """``error_callback(exception)``, once, and nothing else."""
    record = apply(one, divmod, 7, 0)
    assert type(record.error()) is ZeroDivisionError
    record.check()
    assert record.kinds == ["accepted", "error"]


@pytest.mark.parametrize("value", [None, 0, False, "", (), [], {}, ("a", 1), ValueError("a value")], ids=repr)
def test_any_value_is_a_success(one: BasePool, value: Any) -> None:
    """Also one that is false, and an exception that was not raised."""
    record = apply(one, targets.give, value)
    assert repr(record.value()) == repr(value)
    assert type(record.value()) is type(value)
    record.check()


def test_the_call_is_made_as_it_was_given(one: BasePool) -> None:
    """With each argument, in its place and under its name."""
    named = {"self": 1, "job": 2, "pool": 3, "target": 4, "args": 5, "kwargs": 6, "callback": 7, "timeout": 8, "fn": 9}
    job = one.apply_async(targets.collect, (1, "two", None), named)
    assert job.result(patience()) == ((1, "two", None), named)
    assert one.apply_async(targets.collect).result(patience()) == ((), {})


def test_a_job_has_the_outcome_that_was_delivered(one: BasePool) -> None:
    """``job.result()``, ``job.exception()`` and ``job.state`` agree with the callbacks, whenever they are asked."""
    good, bad = apply(one, divmod, 7, 2), apply(one, divmod, 7, 0)
    error = bad.error()
    for _ in range(2):
        assert good.job.result(patience()) == (3, 1)
        assert good.job.exception(patience()) is None
        assert bad.job.exception(patience()) is error
        with pytest.raises(ZeroDivisionError) as raised:
            bad.job.result(patience())
        assert raised.value is error
    assert (good.state, bad.state) == (JobState.SUCCEEDED, JobState.FAILED)
    assert good.job.done()
    assert bad.job.done()


def test_an_outcome_is_final(one: BasePool) -> None:
    """A job that has its outcome can neither be cancelled nor terminated, and is told nothing more."""
    for target, state in ((int, JobState.SUCCEEDED), (targets.endless, JobState.FAILED)):
        record = apply(one, target)
        record.ended()
        assert not record.job.cancel()
        assert not record.job.terminate()
        assert record.state is state
        record.check()
    pause(0.02)


def test_the_outcome_is_there_when_it_is_delivered(one: BasePool) -> None:
    """Whoever is told of it may ask the job for it."""
    for target, callback in ((int, "callback"), (targets.endless, "error_callback")):
        jobs: list[Job] = []
        seen: list[bool] = []
        told, known = one.new_event(), one.new_event()

        def look(_: object, jobs: list[Job] = jobs, seen: list[bool] = seen, told: Any = told) -> None:
            # A job that runs inline has its outcome before anybody knows the job.
            seen.append(jobs[0].done() if jobs else True)
            told.set()

        with busy(one):
            options: Any = {callback: look}
            jobs.append(one.apply_async(target, **options))
        wait(told)
        known.set()
        assert seen == [True]


def test_whoever_watches_is_told_once(one: BasePool) -> None:
    """``when_done``, before and after the outcome; futures; ``wait``."""
    told: list[Job] = []
    with busy(one):
        job = one.apply_async(int)
        job.when_done(told.append)
        future = one.submit(targets.double, 4)
        assert not job.wait(0.01)
        with pytest.raises(TimeoutError):
            job.result(0.01)
    assert job.wait(patience())
    job.when_done(told.append)
    assert future.result(patience()) == 8
    assert one.join(patience())
    assert told == [job, job]


def test_every_job_has_its_own_outcome(pool: BasePool, subject: PoolUnderTest) -> None:
    """Of as many as there is time for, none is lost, doubled or another's."""
    count = subject.load(3000)
    records = [apply(pool, targets.double, number) for number in range(count)]
    assert [record.value() for record in records] == [2 * number for number in range(count)]
    finish(records)
    assert len({record.job.id for record in records}) == count


def test_successes_and_failures_in_turn(pool: BasePool, subject: PoolUnderTest) -> None:
    """Each is told of by its own callback."""
    records = [apply(pool, divmod, 7, number % 2) for number in range(subject.load(1000))]
    finish(records)
    for number, record in enumerate(records):
        assert record.kinds == ["accepted", "value" if number % 2 else "error"]


def test_jobs_that_nobody_listens_to(one: BasePool) -> None:
    """A job without callbacks has its outcome all the same."""
    jobs = [one.apply_async(divmod, (7, number)) for number in range(4)]
    assert isinstance(jobs[0].exception(patience()), ZeroDivisionError)
    assert [job.result(patience()) for job in jobs[1:]] == [(7, 0), (3, 1), (2, 1)]


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_the_end_of_the_pool_is_no_end_of_outcomes(open_pool: OpenPool, several: int, end: str) -> None:
    """What runs and what waits when the pool ends: each job has one outcome."""
    pool = open_pool(several)
    running = [launch(pool, targets.spend, 0.03) for _ in range(several)]
    records = [*running, *(apply(pool, targets.give, number) for number in range(10))]
    getattr(pool, end)()
    finish(records)
    for record in records:
        assert record.kinds[-1] == "value" or isinstance(record.error(), Terminated)
        assert end == "terminate" or record.kinds == ["accepted", "value"]
