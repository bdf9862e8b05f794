"""Point 13: ``info`` and ``stats`` are JSON-friendly, and true."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from pools import BasePool
from pools.spec import Traits
from pools.states import JobState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.native import NativeThread, sleep
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish, launch
from pools.testing.waiting import eventually, pause, wait

OUTCOMES = ("succeeded", "failed", "timed_out", "lost", "terminated", "cancelled")


def _as_json(value: dict[str, Any]) -> dict[str, Any]:
    """The value, which must come back from JSON as it is."""
    copy: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    assert copy == value
    return copy


def test_info_of_a_pool_that_has_nothing_to_do(open_pool: OpenPool, subject: PoolUnderTest, traits: Traits) -> None:
    """What it was opened with, and that it does nothing."""
    limits: dict[str, Any] = {"timeout": 7.5} if traits.hard_timeout else {}
    limits |= {"soft_timeout": 5.5} if traits.soft_timeout else {}
    pool = open_pool(subject.several, max_queued=3, **limits)
    info = _as_json(pool.info)
    expected = {
        "pool": subject.pool_name,
        "implementation": f"{type(pool).__module__}:{type(pool).__qualname__}",
        "state": "running",
        "pid": os.getpid(),
        "concurrency": subject.several,
        "limits": {"soft_timeout": limits.get("soft_timeout"), "timeout": limits.get("timeout")},
        "max_queued": 3,
        "waiting": 0,
        "running": [],
        "strays": 0,
    }
    assert {name: info.get(name) for name in expected} == expected


def test_info_follows_the_life_of_the_pool(open_pool: OpenPool, subject: PoolUnderTest) -> None:
    """The state; and nothing runs or waits in a pool that has stopped."""
    new = subject.make()
    assert _as_json(new.info)["state"] == "new"
    pool = open_pool()
    with busy(pool) as (holder,):
        pool.close()
        info = _as_json(pool.info)
        assert (info["state"], [entry["job"] for entry in info["running"]]) == ("closing", [holder.job.id])
    pool.stop()
    info = _as_json(pool.info)
    assert (info["state"], info["running"], info["waiting"]) == ("stopped", [], 0)
    pool.start()
    assert pool.info["state"] == "running"


def test_what_info_says_runs_is_what_runs(pool: BasePool, several: int) -> None:
    """Each job that runs, with its slot, and the host's name for it; and how many wait."""
    with busy(pool) as records:
        waiting = [apply(pool, targets.give, number) for number in range(4)]
        info, stats = _as_json(pool.info), _as_json(pool.stats)
        assert {entry["job"]: entry["slot_id"] for entry in info["running"]} == {
            record.job.id: record.accepted()[0] for record in records
        }
        assert len(info["running"]) == several
        assert {entry["correlation_id"] for entry in info["running"]} == {r.job.correlation_id for r in records}
        assert (info["waiting"], stats["waiting"], stats["running"]) == (4, 4, several)
        assert waiting[1].job.cancel()
        assert (pool.info["waiting"], pool.stats["waiting"]) == (3, 3), "a job that was cancelled waits"
    finish([*records, *waiting])
    assert pool.join(patience())
    info, stats = pool.info, pool.stats
    assert (info["running"], info["waiting"], stats["running"], stats["waiting"]) == ([], 0, 0, 0)


def test_for_how_long_a_job_has_run(one: BasePool) -> None:
    """In seconds since its acceptance."""
    with busy(one) as (record,):
        pause(0.1)
        (entry,) = one.info["running"]
        assert 0.1 <= entry["seconds"] < 0.1 + patience()
        (later,) = one.info["running"]
        assert later["seconds"] >= entry["seconds"]
    record.check()


def test_the_name_that_the_host_gave(one: BasePool) -> None:
    """``correlation_id``: in ``info`` and on the job; None if there is none."""
    record = launch(one, targets.span, 0.2, correlation_id="order 7")
    record.accepted()
    (entry,) = one.info["running"]
    assert entry["correlation_id"] == record.job.correlation_id == "order 7"
    record.value()
    assert one.apply_async(targets.give, (1,)).correlation_id is None


def test_stats_count_every_outcome(open_pool: OpenPool, traits: Traits) -> None:
    """By the name of the outcome; and what was counted stays counted when the pool has stopped."""
    pool = open_pool()
    expected = dict.fromkeys(OUTCOMES, 0)
    assert _as_json(pool.stats)["jobs"] == expected
    for _ in range(3):
        apply(pool, targets.give, 1).value()
    for _ in range(2):
        apply(pool, divmod, 1, 0).error()
    with busy(pool):
        assert pool.apply_async(targets.give, (1,)).cancel()
        assert pool.apply_async(targets.give, (1,)).terminate()
    expected |= {"succeeded": 4, "failed": 2, "cancelled": 1, "terminated": 1}
    if traits.terminate:
        record = launch(pool, targets.spend, patience())
        record.accepted()
        assert record.job.terminate()
        record.error()
        expected["terminated"] += 1
    if traits.hard_timeout:
        apply(pool, targets.spend, patience(), timeout=0.02).error()
        expected["timed_out"] += 1
    if traits.soft_timeout:
        apply(pool, targets.spend, patience(), soft_timeout=0.02).error()
        expected["timed_out"] += 1
    assert pool.join(patience())
    assert _as_json(pool.stats)["jobs"] == expected
    pool.stop()
    assert pool.stats["jobs"] == expected


def test_the_counts_add_up(open_pool: OpenPool, subject: PoolUnderTest, several: int) -> None:
    """Of the jobs of four threads each is counted once, under the outcome that it had."""
    pool = open_pool(several)
    count = subject.load(1000) // 4

    def feed() -> list[JobState]:
        jobs = []
        for number in range(count):
            jobs.append(pool.apply_async(divmod, (1, number % 3)))
            if number % 5 == 0:
                jobs[-1].cancel()
        assert all(job.wait(patience()) for job in jobs)
        return [job.state for job in jobs]

    states = [state for thread in [NativeThread(pool, feed) for _ in range(4)] for state in thread.join()]
    assert pool.join(patience())
    counted = pool.stats["jobs"]
    assert sum(counted.values()) == 4 * count
    for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED):
        assert counted[state.value] == states.count(state)


def test_info_is_true_under_load(pool: BasePool, subject: PoolUnderTest, several: int) -> None:
    """However often one looks while jobs come and go: each job once, no slot twice, none more than slots."""
    wrong: list[str] = []
    going = [True]
    looks = pool.new_event()

    def look() -> None:
        while going:
            running = pool.info["running"]
            if len({entry["job"] for entry in running}) < len(running):
                wrong.append(f"a job twice: {running}")
            if any(entry["seconds"] < 0 for entry in running):
                wrong.append(f"a job of the future: {running}")
            looks.set()
            sleep(0.001)

    thread = NativeThread(pool, look)
    # A fast pool has done all the jobs before a thread begins.
    wait(looks, "another thread's first look")
    finish([apply(pool, targets.span, 0.0005) for _ in range(subject.load(400))])
    going.clear()
    thread.join()
    assert wrong == []


@pytest.mark.needs("terminate")
def test_a_job_that_was_terminated_does_not_run(one: BasePool) -> None:
    """It is gone from ``running`` at once, and from ``strays`` when it has ended."""
    record = launch(one, targets.spend, patience())
    record.accepted()
    assert record.job.terminate()
    record.error()
    assert one.info["running"] == []
    assert one.stats["running"] == 0
    assert eventually(lambda: one.info["strays"] == one.stats["strays"] == 0)


def test_each_life_counts_anew(open_pool: OpenPool) -> None:
    """A pool that was stopped and started again begins new statistics; the uptime runs from the start."""
    pool = open_pool()
    apply(pool, targets.give, 1).value()
    pause(0.05)
    uptime = pool.stats["uptime"]
    assert 0.05 <= uptime <= pool.stats["uptime"]
    pool.stop()
    pool.start()
    stats = _as_json(pool.stats)
    assert sum(stats["jobs"].values()) == 0
    assert 0 <= stats["uptime"] < patience()
    assert stats["pool"] == pool.name


@pytest.mark.needs("resize")
def test_info_knows_the_size(open_pool: OpenPool) -> None:
    """``concurrency`` is what it is after ``grow`` and ``shrink``, also while jobs hold slots that are to go."""
    pool = open_pool(1)
    pool.grow(3)
    assert pool.info["concurrency"] == pool.concurrency == 4
    with busy(pool):
        pool.shrink(2)
        assert pool.info["concurrency"] == pool.concurrency == 2
        assert len(pool.info["running"]) == 4
