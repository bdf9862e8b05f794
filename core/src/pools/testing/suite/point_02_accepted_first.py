"""Point 2: ``accept_callback(slot_id, accepted_at)`` comes before the outcome, once, and only if the job began."""

from __future__ import annotations

from time import monotonic

import pytest

from pools import BasePool, signals
from pools.errors import Cancelled, Terminated
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import Log
from pools.testing.history import patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish
from pools.testing.waiting import pause, wait

#: Seconds by which clocks of two processors, or the rounding of a float, may differ.
TICK = 1e-3


def test_acceptance_comes_once_and_before_the_outcome(pool: BasePool, subject: PoolUnderTest) -> None:
    """For jobs that return and for jobs that raise, with slots to spare and without."""
    records = [apply(pool, divmod, 7, number % 3) for number in range(subject.load(300))]
    finish(records)
    for number, record in enumerate(records):
        assert record.kinds == ["accepted", "value" if number % 3 else "error"], repr(record)


def test_what_acceptance_tells(one: BasePool) -> None:
    """The number of the slot, and the time by ``time.monotonic()``, at which the job began; the job has them too."""
    for _ in range(3):
        before = monotonic()
        record = apply(one, targets.span, 0.0)
        began, _ = record.value()
        slot_id, accepted_at = record.accepted()
        assert type(slot_id) is int
        assert slot_id >= 1
        assert isinstance(accepted_at, float)
        assert before - TICK <= accepted_at <= began + TICK
        assert (record.job.slot_id, record.job.accepted_at) == (slot_id, accepted_at)


def test_acceptance_is_told_when_it_happens(one: BasePool) -> None:
    """While the job runs, and not when it has ended; and only of the job that begins."""
    with busy(one) as (holder,):
        waiting = apply(one, targets.give, 1)
        assert holder.kinds == ["accepted"]
        pause(0.02)
        assert waiting.kinds == []
        assert waiting.job.accepted_at is None
        released_after = monotonic()
    _, accepted_at = waiting.accepted()
    assert accepted_at >= released_after - TICK, "a job that waited was accepted before its slot was free"
    finish([holder, waiting])


def test_the_slot_is_the_one_that_runs_the_job(pool: BasePool, several: int) -> None:
    """As ``info`` has it; each of several jobs has its own."""
    with busy(pool) as records:
        told = {record.accepted()[0] for record in records}
        assert told == {record.job.slot_id for record in records}
        assert len(told) == several, f"{several} jobs run in the slots {told}"
        running = {entry["job"]: entry["slot_id"] for entry in pool.info["running"]}
        assert running == {record.job.id: record.accepted()[0] for record in records}


def test_acceptances_follow_each_other(one: BasePool, subject: PoolUnderTest) -> None:
    """In one slot no job begins before the one that was accepted before it, nor before that has ended."""
    records = [apply(one, targets.span, 0.0) for _ in range(subject.load(200))]
    ended_at = 0.0
    for record in sorted(records, key=lambda record: record.value()[0]):
        began, ended = record.value()
        accepted_at = record.accepted()[1]
        assert ended_at - TICK <= accepted_at <= began + TICK, f"accepted at {accepted_at}, began at {began}"
        ended_at = ended


def test_a_cancelled_job_is_never_accepted(one: BasePool) -> None:
    """Its one call is ``error_callback(Cancelled)``, and its target is not called."""
    log = Log()
    with busy(one):
        record = apply(one, targets.note, log.path)
        assert record.job.cancel()
        assert isinstance(record.error(), Cancelled)
    assert one.join(patience())
    assert record.kinds == ["error"]
    assert record.job.accepted_at is None
    assert log.lines == []
    record.check()


def test_a_job_that_was_terminated_in_the_queue_is_never_accepted(open_pool: OpenPool) -> None:
    """So is one that ``terminate()`` of the pool meets there."""
    pool = open_pool()
    log = Log()
    with busy(pool):
        first, second = apply(pool, targets.note, log.path), apply(pool, targets.note, log.path)
        assert first.job.terminate()
        ending = NativeThread(pool, pool.terminate)
        for record in (first, second):
            assert isinstance(record.error(), Terminated)
            assert record.kinds == ["error"]
            record.check()
    ending.join()
    assert log.lines == []


def test_acceptance_without_other_callbacks(one: BasePool) -> None:
    """It is told of a job whose outcome nobody is told, and the other way round."""
    told: list[tuple[int, float]] = []
    job = one.apply_async(targets.give, (1,), accept_callback=lambda *args: told.append(args))
    job.result(patience())
    assert one.join(patience())
    assert told == [(job.slot_id, job.accepted_at)]
    values: list[int] = []
    one.apply_async(targets.give, (1,), callback=values.append)
    assert one.join(patience())
    assert values == [1]


def test_the_signals_keep_the_same_order(one: BasePool) -> None:
    """``apply``, ``accepted``, ``finished``: once each."""
    seen: list[str] = []
    finished = one.new_event()

    def on_finished(*_: object, **__: object) -> None:
        seen.append("finished")
        finished.set()

    def on_apply(*_: object, **__: object) -> None:
        seen.append("apply")

    def on_accepted(*_: object, **__: object) -> None:
        seen.append("accepted")

    with (
        signals.apply.connected_to(on_apply, one),
        signals.accepted.connected_to(on_accepted, one),
        signals.finished.connected_to(on_finished, one),
    ):
        apply(one, targets.give, 1).value()
        wait(finished, "the signal finished")
    assert seen == ["apply", "accepted", "finished"]


@pytest.mark.needs("hard_timeout")
def test_a_job_that_is_ended_was_accepted_first(pool: BasePool) -> None:
    """However it ends."""
    records = [apply(pool, targets.spend, patience(), timeout=0.03) for _ in range(3)]
    finish(records)
    assert [record.kinds for record in records] == [["accepted", "timeout", "error"]] * 3
