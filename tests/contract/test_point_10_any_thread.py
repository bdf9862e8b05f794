"""Point 10: any thread may call ``apply_async``, ``cancel`` and ``terminate_job``, and wait for what comes of it.

The threads here are the system's, beside the hub of a green pool.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from pools import BasePool, current_job
from pools.errors import Cancelled, Terminated
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, apply, busy, spend


def _double(number: int) -> int:
    return 2 * number


def _submit_many(pool: BasePool, numbers: range) -> list[Record]:
    return [apply(pool, _double, number) for number in numbers]


def test_many_threads_submit_at_once(open_pool: OpenPool) -> None:
    """Of four thousand jobs from four threads, each has its own outcome."""
    pool = open_pool()
    threads = [NativeThread(pool, _submit_many, pool, range(n * 1000, (n + 1) * 1000)) for n in range(4)]
    records = [record for thread in threads for record in thread.join()]
    assert [record.value() for record in records] == [2 * number for number in range(4000)]
    for record in records:
        record.check()
    assert len({record.job.id for record in records}) == 4000
    assert pool.stats["jobs"]["succeeded"] == 4000


def test_a_thread_waits_for_its_job(open_pool: OpenPool) -> None:
    """``result``, ``exception`` and ``wait`` in any thread."""
    pool = open_pool()

    def ask() -> tuple[int, BaseException | None, bool]:
        job = pool.apply_async(_double, (4,))
        failed = pool.apply_async(divmod, (1, 0))
        return job.result(PATIENCE), failed.exception(PATIENCE), job.wait(PATIENCE)

    for thread in [NativeThread(pool, ask) for _ in range(4)]:
        value, error, waited = thread.join()
        assert (value, type(error), waited) == (8, ZeroDivisionError, True)


def test_a_thread_that_waits_in_vain(open_pool: OpenPool) -> None:
    """A wait with a timeout ends in any thread."""
    pool = open_pool()
    with busy(pool):
        job = pool.apply_async(_double, (4,))
        assert not NativeThread(pool, job.wait, 0.01).join()
        with pytest.raises(TimeoutError, match=rf"^job {job.id} of pool {pool.name} has no outcome after 0.01 s"):
            NativeThread(pool, job.result, 0.01).join()
    assert job.result(PATIENCE) == 8


def test_a_thread_submits_futures_and_maps(open_pool: OpenPool) -> None:
    """``submit`` and ``map`` in any thread."""
    pool = open_pool()
    future = NativeThread(pool, pool.submit, _double, 4).join()
    assert NativeThread(pool, future.result, PATIENCE).join() == 8
    assert NativeThread(pool, lambda: list(pool.map(_double, range(20)))).join() == list(range(0, 40, 2))
    assert NativeThread(pool, lambda: sorted(pool.map(_double, range(20), ordered=False))).join() == list(
        range(0, 40, 2)
    )


def test_a_thread_cancels(open_pool: OpenPool) -> None:
    """A job that waits is cancelled by any thread; one that runs sees that somebody asked."""
    pool = open_pool()
    seen: list[bool] = []

    def target() -> None:
        job = current_job()
        assert job is not None
        seen.append(NativeThread(pool, job.cancel).join())
        seen.append(job.cancel_requested)

    with busy(pool):
        waiting = pool.apply_async(_double, (4,))
        assert NativeThread(pool, waiting.cancel).join()
        with pytest.raises(Cancelled):
            waiting.result(PATIENCE)
    pool.apply_async(target).result(PATIENCE)
    assert seen == [False, True]


@pytest.mark.needs("terminate")
def test_a_thread_terminates(open_pool: OpenPool) -> None:
    """``terminate_job`` and ``job.terminate`` in any thread."""
    pool = open_pool()
    for _ in range(20):
        for by_slot in (True, False):
            record = apply(pool, spend, PATIENCE)
            slot_id, _ = record.accepted()
            if by_slot:
                assert NativeThread(pool, pool.terminate_job, slot_id).join()
            else:
                assert NativeThread(pool, record.job.terminate).join()
            assert isinstance(record.error(), Terminated)
            record.check()


def test_a_cancel_races_the_start(open_pool: OpenPool) -> None:
    """Two thousand jobs that another thread cancels while they begin: each is cancelled or runs, and says which."""
    pool = open_pool()
    ran: set[int] = set()

    def cancel(records: list[Record]) -> int:
        return sum(record.job.cancel() for record in records)

    for turn in range(20):
        with busy(pool):
            records = [apply(pool, ran.add, turn * 100 + number) for number in range(100)]
            random.shuffle(records)
            threads = [NativeThread(pool, cancel, records[half::2]) for half in range(2)]
        cancelled = sum(thread.join() for thread in threads)
        for record in records:
            record.ended()
            record.check()
        states = [record.job.state for record in records]
        assert states.count(JobState.CANCELLED) == cancelled
        assert states.count(JobState.SUCCEEDED) == 100 - cancelled
        assert len(ran) == 100 - cancelled
        ran.clear()


def test_any_thread_may_look(open_pool: OpenPool) -> None:
    """``info`` and ``stats`` in any thread, while jobs run."""
    pool = open_pool()

    def look() -> list[dict[str, Any]]:
        return [pool.info, pool.stats]

    with busy(pool, 1) as (record,):
        info, stats = NativeThread(pool, look).join()
        assert [entry["slot_id"] for entry in info["running"]] == [record.accepted()[0]]
        assert stats["running"] == 1


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
