"""Point 10: any thread may call ``apply_async``, ``cancel`` and ``terminate_job``, and wait for what comes of it.

The threads here are the system's, beside the hub of a green pool.
"""

from __future__ import annotations

import random
import signal
import threading

import pytest

from pools import BasePool
from pools.errors import Cancelled, Terminated
from pools.states import JobState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.native import NativeThread, sleep
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, busy, finish, launch
from pools.testing.waiting import eventually


@pytest.mark.usefixtures("hasty")
def test_many_threads_submit_at_once(pool: BasePool, subject: PoolUnderTest) -> None:
    """Each of their jobs has its own outcome."""
    count = subject.load(2000) // 4

    def submit(numbers: range) -> list[Record]:
        return [apply(pool, targets.double, number) for number in numbers]

    threads = [NativeThread(pool, submit, range(n * count, (n + 1) * count)) for n in range(4)]
    records = [record for thread in threads for record in thread.join()]
    assert [record.value() for record in records] == [2 * number for number in range(4 * count)]
    finish(records)
    assert len({record.job.id for record in records}) == 4 * count


def test_a_thread_waits_for_its_job(one: BasePool) -> None:
    """``result``, ``exception`` and ``wait`` in any thread."""

    def ask() -> tuple[int, BaseException | None, bool]:
        job = one.apply_async(targets.double, (4,))
        failed = one.apply_async(divmod, (1, 0))
        return job.result(patience()), failed.exception(patience()), job.wait(patience())

    for thread in [NativeThread(one, ask) for _ in range(4)]:
        value, error, waited = thread.join()
        assert (value, type(error), waited) == (8, ZeroDivisionError, True)


def test_a_thread_that_waits_in_vain(one: BasePool) -> None:
    """A wait with a timeout ends in any thread."""
    with busy(one):
        job = one.apply_async(targets.double, (4,))
        assert not NativeThread(one, job.wait, 0.01).join()
        with pytest.raises(TimeoutError):
            NativeThread(one, job.result, 0.01).join()
        assert not NativeThread(one, one.join, 0.01).join()
    assert job.result(patience()) == 8


def test_a_thread_submits_futures_and_maps(one: BasePool) -> None:
    """``submit`` and ``map`` in any thread."""
    future = NativeThread(one, one.submit, targets.double, 4).join()
    assert NativeThread(one, future.result, patience()).join() == 8
    assert NativeThread(one, lambda: list(one.map(targets.double, range(8)))).join() == list(range(0, 16, 2))
    unordered = NativeThread(one, lambda: sorted(one.map(targets.double, range(8), ordered=False)))
    assert unordered.join() == list(range(0, 16, 2))


def test_a_thread_cancels(one: BasePool) -> None:
    """A job that waits is cancelled by any thread; one that runs is only asked."""
    with busy(one) as (holder,):
        waiting = one.apply_async(targets.double, (4,))
        assert NativeThread(one, waiting.cancel).join() is True
        with pytest.raises(Cancelled):
            waiting.result(patience())
        assert NativeThread(one, holder.job.cancel).join() is False
        assert holder.job.cancel_requested
    assert holder.value() is None


@pytest.mark.needs("terminate")
def test_a_thread_terminates(one: BasePool, subject: PoolUnderTest) -> None:
    """``terminate_job`` and ``job.terminate`` in any thread."""
    for _ in range(subject.rounds(4)):
        for by_slot in (True, False):
            record = launch(one, targets.spend, patience())
            slot_id, _ = record.accepted()
            if by_slot:
                assert NativeThread(one, one.terminate_job, slot_id).join() is True
            else:
                assert NativeThread(one, record.job.terminate).join() is True
            assert isinstance(record.error(), Terminated)
            record.check()


@pytest.mark.usefixtures("hasty")
def test_a_cancel_races_the_start(pool: BasePool, subject: PoolUnderTest) -> None:
    """Jobs that two other threads cancel while they begin: each is cancelled or runs, and says which."""
    count = subject.load(80)

    def cancel(records: list[Record]) -> int:
        return sum(record.job.cancel() for record in records)

    for _ in range(subject.rounds(6)):
        with busy(pool):
            records = [apply(pool, targets.give, number) for number in range(count)]
            random.shuffle(records)
            threads = [NativeThread(pool, cancel, records[half::2]) for half in range(2)]
        cancelled = sum(thread.join() for thread in threads)
        finish(records)
        states = [record.state for record in records]
        assert states.count(JobState.CANCELLED) == cancelled
        assert states.count(JobState.SUCCEEDED) == count - cancelled


def test_any_thread_may_look(one: BasePool) -> None:
    """``info`` and ``stats`` in any thread, while jobs run."""
    with busy(one) as (record,):
        info, stats = NativeThread(one, lambda: (one.info, one.stats)).join()
        assert [entry["slot_id"] for entry in info["running"]] == [record.accepted()[0]]
        assert stats["running"] == 1


@pytest.mark.usefixtures("hasty")
def test_a_job_begins_whatever_is_asked_meanwhile(pool: BasePool, subject: PoolUnderTest) -> None:
    """One job at a time, each of which begins in a pool that has nothing else to do but to answer other threads."""
    ended = pool.apply_async(targets.give, (0,))
    assert ended.result(patience()) == 0
    going = [True]

    def ask() -> None:
        while going:
            assert not ended.cancel()
            assert not ended.terminate()

    threads = [NativeThread(pool, ask) for _ in range(2)]
    try:
        for number in range(subject.load(1000)):
            assert pool.apply_async(targets.give, (number,)).result(patience()) == number
    finally:
        going.clear()
        for thread in threads:
            thread.join()


@pytest.mark.needs("resize")
def test_a_thread_resizes(open_pool: OpenPool) -> None:
    """``grow`` and ``shrink`` in any thread."""
    pool = open_pool()
    NativeThread(pool, pool.grow, 2).join()
    with busy(pool) as records:
        assert len(records) == 3
        NativeThread(pool, pool.shrink, 2).join()
    with busy(pool) as records:
        assert len(records) == 1


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_a_thread_ends_the_pool(open_pool: OpenPool, end: str) -> None:
    """``stop`` and ``terminate`` in any thread."""
    pool = open_pool()
    records = [apply(pool, targets.give, number) for number in range(4)]
    NativeThread(pool, getattr(pool, end)).join()
    finish(records)


@pytest.mark.needs("signal_safe")
def test_a_signal_handler_submits(pool: BasePool, subject: PoolUnderTest) -> None:
    """Whatever it interrupts, a submission above all (trait ``signal_safe``)."""
    records: list[Record] = []
    going = [True]
    main = threading.main_thread().ident
    assert main is not None

    def on_signal(*_: object) -> None:
        records.append(apply(pool, targets.give, -1))

    def disturb() -> int:
        sent = 0
        while going and sent < 400:
            signal.pthread_kill(main, signal.SIGUSR1)
            sent += 1
            sleep(0.0005)
        return sent

    before = signal.signal(signal.SIGUSR1, on_signal)
    try:
        thread = NativeThread(pool, disturb)
        # A fast pool is done with all of them before the thread has begun.
        assert eventually(lambda: records)
        mine = [apply(pool, targets.double, number) for number in range(subject.load(4000))]
        assert [record.value() for record in mine] == [2 * number for number in range(len(mine))]
        going.clear()
        assert thread.join() >= 1
    finally:
        signal.signal(signal.SIGUSR1, before)
    finish([*mine, *records])
