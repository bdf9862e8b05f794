"""Point 6: ``cancel`` ends a job that waits, ``terminate`` one that waits or runs, and neither any other job."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from pools import BasePool, Job, shield, signals
from pools.errors import Cancelled, Terminated, UnsupportedError
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, apply, busy, job_here, spend

terminates = pytest.mark.needs("terminate")


def give(number: int) -> int:
    """A job that others can be told from."""
    return number


# -- Cancel ------------------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_cancelled(open_pool: OpenPool) -> None:
    """Once; it says so, and cannot be ended in another way after that."""
    pool = open_pool()
    with busy(pool):
        record = apply(pool, give, 1)
        assert record.job.cancel()
        assert str(record.error()) == f"{record.job} was cancelled before any slot accepted it"
        assert (record.job.done(), record.job.state) == (True, JobState.CANCELLED)
        assert not record.job.cancel()
        assert not record.job.terminate()
    with pytest.raises(Cancelled):
        record.job.result(0)
    assert record.kinds == ["error"]
    record.check()


def test_a_cancel_takes_one_out_of_the_row(open_pool: OpenPool) -> None:
    """The others run, in the order in which they were submitted."""
    pool = open_pool()
    values: list[int] = []
    with busy(pool):
        jobs = [pool.apply_async(give, (number,), callback=values.append) for number in range(300)]
        out = set(random.Random(1).sample(range(300), 150))
        assert all(jobs[number].cancel() for number in out)
        assert pool.info["waiting"] == 150
    assert pool.join(PATIENCE)
    assert values == [number for number in range(300) if number not in out]
    assert pool.stats["jobs"]["cancelled"] == 150


def test_a_job_that_runs_is_only_asked(open_pool: OpenPool) -> None:
    """``cancel`` sets ``cancel_requested``, however often it is called; the job goes on to its own end."""
    pool = open_pool()
    with busy(pool) as (record,):
        assert not record.job.cancel_requested
        for _ in range(3):
            assert not record.job.cancel()
            assert record.job.cancel_requested
        assert not record.job.done()
    record.value()
    record.check()


def test_a_job_that_runs_sees_that_it_was_asked(open_pool: OpenPool) -> None:
    """By ``current_job().cancel_requested``; it may end then, and its outcome is what it returns."""
    pool = open_pool()
    threads: list[NativeThread[bool]] = []

    def ask(sender: BasePool, job: Job) -> None:
        threads.append(NativeThread(pool, job.cancel))

    def work() -> str:
        give_up_at = monotonic() + PATIENCE
        while not job_here().cancel_requested and monotonic() < give_up_at:
            spend(0.001)
        return "cut short" if job_here().cancel_requested else "done"

    with signals.accepted.connected_to(ask, pool):
        assert apply(pool, work).value() == "cut short"
    assert not threads[0].join()


def test_a_callback_cancels(open_pool: OpenPool) -> None:
    """The next job, from the callback of the one before it; and its own job, which has its outcome."""
    pool = open_pool()
    told: list[bool] = []
    records: list[Record] = []
    with busy(pool):
        first = pool.apply_async(give, (1,), callback=lambda _: told.extend(r.job.cancel() for r in records))
        records.append(apply(pool, give, 2))
        records[0].job.when_done(lambda _: told.append(first.cancel()))
    assert isinstance(records[0].error(), Cancelled)
    assert pool.join(PATIENCE)
    assert told == [False, True]
    records[0].check()


# -- Terminate ---------------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_terminated(open_pool: OpenPool) -> None:
    """By any pool: no slot has it yet."""
    pool = open_pool()
    with busy(pool):
        record = apply(pool, give, 1)
        assert record.job.terminate()
        assert str(record.error()) == f"{record.job} was terminated before any slot accepted it"
        assert not record.job.terminate()
    assert record.kinds == ["error"]
    record.check()


def test_a_job_that_runs_where_none_can_be_terminated(open_pool: OpenPool, traits: Traits) -> None:
    """An error that names pool and trait, and the job goes on as if nothing had been asked."""
    if traits.terminate:
        pytest.skip("the pool has the trait terminate")
    pool = open_pool()
    with busy(pool) as (record,):
        with pytest.raises(UnsupportedError, match=rf"^pool {pool.name} cannot end a job .*\(trait terminate is False"):
            record.job.terminate()
        assert not record.job.cancel_requested
    record.value()
    record.check()


@terminates
@pytest.mark.parametrize("signal", [None, 15, "TERM"])
@pytest.mark.parametrize("by", ["slot", "job"])
def test_a_job_that_runs_is_terminated(open_pool: OpenPool, by: str, signal: int | str | None) -> None:
    """At once, and once; the pool has as many slots as before, and the next job runs."""
    pool = open_pool()
    for _ in range(5):
        record = apply(pool, spend, PATIENCE)
        slot_id, _ = record.accepted()
        assert pool.terminate_job(slot_id, signal) if by == "slot" else record.job.terminate(signal)
        assert str(record.error()) == f"{record.job} was terminated while it ran"
        assert record.job.state is JobState.TERMINATED
        assert not record.job.terminate()
        assert not record.job.cancel()
        with pytest.raises(Terminated):
            record.job.result(0)
        assert record.kinds == ["accepted", "error"]
        record.check()
        assert apply(pool, give, 5).value() == 5
    assert pool.concurrency == 1


@terminates
def test_the_slot_that_is_named_is_the_one(open_pool: OpenPool) -> None:
    """The jobs in the other slots go on."""
    pool = open_pool(4)
    with busy(pool) as records:
        victim = records.pop(2)
        assert pool.terminate_job(victim.accepted()[0])
        assert isinstance(victim.error(), Terminated)
        assert {entry["job"] for entry in pool.info["running"]} == {record.job.id for record in records}
    for record in [victim, *records]:
        record.ended()
        record.check()
    assert [record.kinds for record in records] == [["accepted", "value"]] * 3


@terminates
def test_a_slot_that_runs_nothing(open_pool: OpenPool) -> None:
    """One that is free, one that never was: nothing is terminated, and what waits goes on waiting."""
    pool = open_pool(2)
    ended = apply(pool, give, 1)
    free, _ = ended.accepted()
    ended.value()
    assert pool.join(PATIENCE)
    assert [pool.terminate_job(slot_id) for slot_id in (free, 0, -1, 10**9)] == [False] * 4
    with busy(pool) as holders:
        waiting = apply(pool, give, 2)
        # A job that waits has no slot, whatever number stands for that.
        assert not any(pool.terminate_job(slot_id) for slot_id in (0, -1, 10**9))
    assert [record.value() for record in [*holders, waiting]] == [None, None, 2]
    pool.stop()
    assert not pool.terminate_job(free)


@terminates
def test_a_job_of_a_pool_that_closes_is_terminated(open_pool: OpenPool) -> None:
    """Whoever waits for the end need not wait for that job."""
    pool = open_pool()
    record = apply(pool, spend, PATIENCE)
    slot_id, _ = record.accepted()
    pool.close()
    assert pool.terminate_job(slot_id)
    assert pool.join(PATIENCE)
    assert isinstance(record.error(), Terminated)


@terminates
def test_a_shield_does_not_defer_a_termination(open_pool: OpenPool) -> None:
    """It is for soft limits."""
    pool = open_pool()

    def work() -> None:
        with shield():
            spend(PATIENCE)

    record = apply(pool, work)
    slot_id, _ = record.accepted()
    assert pool.terminate_job(slot_id)
    assert isinstance(record.error(), Terminated)
    assert apply(pool, give, 5).value() == 5


@terminates
def test_callbacks_terminate(open_pool: OpenPool) -> None:
    """Each error callback ends the next job, of those that run and of those that wait."""
    pool = open_pool(2)
    jobs: list[Job] = []
    told: list[bool] = []

    def end_next(number: int) -> Callable[[BaseException], None]:
        return lambda _: told.append(jobs[number + 1].terminate()) if number < 19 else None

    for number in range(20):
        record = Record(pool)
        accepted = record.callbacks()["accept_callback"]
        jobs.append(pool.apply_async(spend, (PATIENCE,), accept_callback=accepted, error_callback=end_next(number)))
        if number < 2:
            record.accepted()
    assert jobs[0].terminate()
    assert pool.join(PATIENCE)
    assert told == [True] * 19
    assert {job.state for job in jobs} == {JobState.TERMINATED}


@terminates
def test_a_job_that_is_terminated_when_it_is_accepted(open_pool: OpenPool) -> None:
    """By its own accept callback: it is never called."""
    pool = open_pool()
    called: list[int] = []
    jobs: list[Job] = []
    told: list[bool] = []
    with busy(pool):
        record = Record(pool)
        callbacks = dict[str, Any](record.callbacks())
        accepted = callbacks["accept_callback"]

        def end(slot_id: int, accepted_at: float) -> None:
            accepted(slot_id, accepted_at)
            told.append(jobs[0].terminate())

        record.job = pool.apply_async(called.append, (1,), **{**callbacks, "accept_callback": end})
        jobs.append(record.job)
    assert isinstance(record.error(), Terminated)
    assert pool.join(PATIENCE)
    assert (told, called) == ([True], [])
    record.check()
