"""Point 6: ``cancel`` ends a job that waits, ``terminate`` one that waits or runs, and neither any other job."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from pools import BasePool, Job
from pools.errors import Cancelled, Terminated, UnsupportedError
from pools.states import JobState
from pools.testing import looks, targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import Log
from pools.testing.history import patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, busy, finish, launch
from pools.testing.waiting import eventually, pause

terminates = pytest.mark.needs("terminate")
thorough = pytest.mark.thorough


# -- Cancel ------------------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_cancelled(one: BasePool) -> None:
    """Once; it says so, never runs, and cannot be ended in another way after that."""
    log = Log()
    with busy(one):
        record = apply(one, targets.note, log.path)
        assert record.job.cancel() is True
        error = record.error()
        assert type(error) is Cancelled
        assert str(record.job.id) in str(error)
        assert (record.job.done(), record.state) == (True, JobState.CANCELLED)
        assert record.job.cancel() is False
        assert record.job.terminate() is False
    with pytest.raises(Cancelled):
        record.job.result(0)
    assert one.join(patience())
    assert record.kinds == ["error"]
    assert log.lines == []
    record.check()


def test_a_cancel_takes_one_out_of_the_row(pool: BasePool, subject: PoolUnderTest) -> None:
    """The others run, each once."""
    count = subject.load(100)
    with busy(pool):
        records = [apply(pool, targets.double, number) for number in range(count)]
        out = set(random.Random(1).sample(range(count), count // 2))
        assert all(records[number].job.cancel() for number in out)
        assert pool.info["waiting"] == count - count // 2
    finish(records)
    for number, record in enumerate(records):
        assert record.kinds == (["error"] if number in out else ["accepted", "value"])


def test_a_job_that_runs_is_only_asked(one: BasePool) -> None:
    """``cancel`` says False, however often it is called; the job goes on to its own end, which is no cancellation."""
    with busy(one) as (record,):
        assert not record.job.cancel_requested
        for _ in range(3):
            assert record.job.cancel() is False
            assert record.job.cancel_requested
        pause(0.02)
        assert record.kinds == ["accepted"]
        assert not record.job.done()
    assert record.value() is None
    assert record.state is JobState.SUCCEEDED
    record.check()


def test_a_job_that_has_ended_is_not_cancelled(one: BasePool) -> None:
    """Its outcome stands."""
    record = apply(one, targets.double, 4)
    assert record.value() == 8
    assert record.job.cancel() is False
    assert record.state is JobState.SUCCEEDED
    record.check()


def test_a_job_that_runs_sees_that_it_was_asked(one: BasePool, subject: PoolUnderTest) -> None:
    """By ``current_job().cancel_requested``, where jobs are told of themselves; the next one was not asked."""
    if not (subject.here or subject.traits.soft_timeout or subject.traits.hard_timeout):
        return  # such a pool promises its jobs nothing that they could ask `current_job()` for
    record = launch(one, looks.wait_for_cancel_request)
    record.accepted()
    assert record.job.cancel() is False
    assert record.value() == "asked"
    assert apply(one, looks.look_at_job).value()["cancel_requested"] is False


def test_callbacks_cancel(one: BasePool) -> None:
    """The next job, from the callback of the one before it."""
    told: list[bool] = []
    records: list[Record] = []
    with busy(one):
        one.apply_async(targets.give, (1,), callback=lambda _: told.extend(r.job.cancel() for r in records))
        records.append(apply(one, targets.give, 2))
    records[0].ended()
    assert one.join(patience())
    # Another slot's worth of work may be on its way already where jobs run elsewhere; what was said is true.
    assert told == [records[0].state is JobState.CANCELLED]
    records[0].check()


# -- Terminate ---------------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_terminated(one: BasePool) -> None:
    """By any pool: no slot has it yet."""
    with busy(one) as (holder,):
        record = apply(one, targets.give, 1)
        assert record.job.terminate() is True
        assert type(record.error()) is Terminated
        assert record.state is JobState.TERMINATED
        assert record.job.terminate() is False
        assert holder.kinds == ["accepted"]
    assert record.kinds == ["error"]
    record.check()


@pytest.mark.lacks("terminate")
def test_a_job_that_runs_where_none_can_be_terminated(one: BasePool) -> None:
    """An error that names pool and trait, and the job goes on as if nothing had been asked."""
    with busy(one) as (record,):
        slot_id, _ = record.accepted()
        calls: list[Callable[[], object]] = [record.job.terminate, lambda: one.terminate_job(slot_id)]
        for call in calls:
            with pytest.raises(UnsupportedError, match=rf"{one.name}.*trait terminate"):
                call()
        pause(0.02)
        assert record.kinds == ["accepted"]
    assert record.value() is None
    record.check()


@terminates
@pytest.mark.parametrize("signal", [None, pytest.param(15, marks=thorough), pytest.param("TERM", marks=thorough)])
@pytest.mark.parametrize("by", ["slot", "job"])
def test_a_job_that_runs_is_terminated(one: BasePool, by: str, signal: int | str | None) -> None:
    """At once, once, and in fact; the pool has as many slots as before, and the next job runs."""
    log = Log()
    record = launch(one, targets.beat, log.path, targets.GIVE_UP)
    slot_id, _ = record.accepted()
    log.wait()
    assert (one.terminate_job(slot_id, signal) if by == "slot" else record.job.terminate(signal)) is True
    assert type(record.error()) is Terminated
    assert record.state is JobState.TERMINATED
    assert record.job.terminate() is False
    assert record.job.cancel() is False
    assert one.terminate_job(slot_id) is False
    with pytest.raises(Terminated):
        record.job.result(0)
    assert record.kinds == ["accepted", "error"]
    record.check()
    assert eventually(lambda: not log.grows(0.3)), "a job that was terminated goes on"
    assert apply(one, targets.double, 4).value() == 8
    assert eventually(lambda: not one.info["strays"])
    with busy(one):
        pass


@terminates
def test_the_slot_that_is_named_is_the_one(pool: BasePool, several: int) -> None:
    """The jobs in the other slots go on."""
    with busy(pool) as records:
        victim = records[several // 2]
        assert pool.terminate_job(victim.accepted()[0])
        assert isinstance(victim.error(), Terminated)
        others = [record for record in records if record is not victim]
        assert {entry["job"] for entry in pool.info["running"]} == {record.job.id for record in others}
    finish(records)
    assert [record.kinds for record in others] == [["accepted", "value"]] * (several - 1)


@terminates
def test_a_slot_that_runs_nothing(open_pool: OpenPool) -> None:
    """One that is free, one that never was: nothing is terminated, and what waits goes on waiting."""
    pool = open_pool()
    ended = apply(pool, targets.give, 1)
    ended.value()
    free, _ = ended.accepted()
    assert pool.join(patience())
    assert [pool.terminate_job(slot_id) for slot_id in (free, 0, -1, 10**9)] == [False] * 4
    with busy(pool) as (holder,):
        waiting = apply(pool, targets.give, 2)
        # A job that waits has no slot, whatever number stands for that.
        assert not any(pool.terminate_job(slot_id) for slot_id in (0, -1, 10**9))
    assert (holder.value(), waiting.value()) == (None, 2)


@terminates
def test_a_termination_says_what_it_did(pool: BasePool, subject: PoolUnderTest) -> None:
    """Each of a few that race with the ends of jobs has ended that job or none, and those behind have their own."""
    count = subject.rounds(24) if subject.traits.hard_timeout == "kill" else subject.load(200)
    said = 0
    victims: list[Record] = []
    others: list[Record] = []
    for number in range(count):
        victim = launch(pool, targets.span, 0.001 * (number % 3))
        slot_id, _ = victim.accepted()
        if number % 2:
            finish(others)  # else the slot might have come to one of them by now
            said += pool.terminate_job(slot_id)
            others.append(apply(pool, targets.double, number))
        else:
            others.append(apply(pool, targets.double, number))
            said += victim.job.terminate()
        victims.append(victim)
    finish([*victims, *others])
    assert [record.value() for record in others] == [2 * number for number in range(count)]
    assert said == sum(record.state is JobState.TERMINATED for record in victims)


@terminates
@pytest.mark.usefixtures("hasty")
def test_two_terminate_one_job(pool: BasePool, subject: PoolUnderTest) -> None:
    """From two threads at once: it has one outcome, and whoever ended it is told so."""
    for _ in range(subject.rounds(16)):
        record = launch(pool, targets.spend, patience())
        record.accepted()
        threads = [NativeThread(pool, record.job.terminate) for _ in range(2)]
        assert sum(thread.join() for thread in threads) >= 1
        assert isinstance(record.error(), Terminated)
        record.check()


@terminates
def test_a_job_of_a_pool_that_closes_is_terminated(open_pool: OpenPool) -> None:
    """Whoever waits for the end need not wait for that job."""
    pool = open_pool()
    record = launch(pool, targets.spend, patience())
    slot_id, _ = record.accepted()
    pool.close()
    assert pool.terminate_job(slot_id)
    assert pool.join(patience())
    assert isinstance(record.error(), Terminated)


@terminates
def test_a_shield_does_not_defer_a_termination(one: BasePool) -> None:
    """It is for soft limits."""
    record = launch(one, looks.shielded_for_ever, patience())
    slot_id, _ = record.accepted()
    assert one.terminate_job(slot_id)
    assert isinstance(record.error(), Terminated)
    assert apply(one, targets.give, 5).value() == 5


@terminates
def test_callbacks_terminate(pool: BasePool) -> None:
    """Each error callback ends the next job, of those that run and of those that wait."""
    jobs: list[Job] = []
    told: list[bool] = []

    def end_next(number: int) -> Callable[[BaseException], None]:
        return lambda _: told.append(jobs[number + 1].terminate()) if number < 7 else None

    first = Record(pool)
    with busy(pool):
        for number in range(8):
            accepted: Any = {"accept_callback": first.callbacks()["accept_callback"]} if number == 0 else {}
            jobs.append(pool.apply_async(targets.spend, (patience(),), error_callback=end_next(number), **accepted))
    first.accepted()
    assert jobs[0].terminate()
    assert pool.join(patience())
    assert told == [True] * 7
    assert {job.state for job in jobs} == {JobState.TERMINATED}


@terminates
def test_a_job_that_is_terminated_when_it_is_accepted(one: BasePool) -> None:
    """By its own accept callback: that is its outcome."""
    jobs: list[Job] = []
    told: list[bool] = []
    with busy(one):
        record = Record(one)
        callbacks = dict[str, Any](record.callbacks())
        accepted = callbacks["accept_callback"]

        def end(slot_id: int, accepted_at: float) -> None:
            accepted(slot_id, accepted_at)
            told.append(jobs[0].terminate())

        record.job = one.apply_async(targets.spend, (patience(),), **{**callbacks, "accept_callback": end})
        jobs.append(record.job)
    assert isinstance(record.error(), Terminated)
    assert one.join(patience())
    assert told == [True]
    record.check()
