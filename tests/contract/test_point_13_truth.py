"""Point 13: ``info`` and ``stats`` are JSON-friendly, and true."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from pools import BasePool
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, apply, busy, spend


def _noop() -> None:
    pass


def _as_json(value: dict[str, Any]) -> dict[str, Any]:
    """The value, which must come back from JSON as it is."""
    copy: dict[str, Any] = json.loads(json.dumps(value, allow_nan=False))
    assert copy == value
    return copy


def test_info_is_json(open_pool: OpenPool, traits: Traits, pool_name: str) -> None:
    """Everything about a pool that has nothing to do, there and back."""
    limits = {"timeout": 7.5} if traits.hard_timeout else {}
    pool = open_pool(max_queued=3, **limits)
    info = _as_json(pool.info)
    assert info == {
        "pool": pool_name,
        "implementation": f"{type(pool).__module__}:{type(pool).__qualname__}",
        "state": "running",
        "pid": os.getpid(),
        "concurrency": 1,
        "limits": {"soft_timeout": None, "timeout": limits.get("timeout")},
        "max_queued": 3,
        "waiting": 0,
        "running": [],
        "strays": 0,
    }


def test_info_follows_the_life_of_the_pool(open_pool: OpenPool) -> None:
    """The state; and nothing runs or waits in a pool that has stopped."""
    pool = open_pool()
    apply(pool, _noop).value()
    pool.close()
    assert pool.info["state"] == "closing"
    pool.stop()
    info = _as_json(pool.info)
    assert (info["state"], info["running"], info["waiting"]) == ("stopped", [], 0)
    pool.start()
    assert pool.info["state"] == "running"


def test_what_info_says_runs_is_what_runs(open_pool: OpenPool, several: int) -> None:
    """Each job that runs, with its slot and the host's name for it; and how many wait."""
    pool = open_pool(several)
    with busy(pool) as records:
        waiting = [pool.apply_async(_noop) for _ in range(4)]
        info = _as_json(pool.info)
        stats = _as_json(pool.stats)
        slots = {record.accepted()[0] for record in records}
    assert {entry["slot_id"] for entry in info["running"]} == slots
    assert len(info["running"]) == several
    assert {entry["job"] for entry in info["running"]} == {record.job.id for record in records}
    assert all(entry["seconds"] >= 0 for entry in info["running"])
    assert (info["waiting"], stats["waiting"], stats["running"]) == (4, 4, several)
    for job in waiting:
        job.result(PATIENCE)
    assert pool.join(PATIENCE)
    assert (pool.info["running"], pool.info["waiting"]) == ([], 0)


def test_a_job_finds_itself(open_pool: OpenPool) -> None:
    """Under its host's name, in its slot, from its acceptance on."""
    pool = open_pool()
    seen: list[Any] = []

    def look() -> None:
        seen.append(pool.info["running"])

    job = pool.apply_async(look, accept_callback=lambda *_: look(), correlation_id="order 7")
    job.result(PATIENCE)
    for (entry,) in seen:
        assert (entry["job"], entry["slot_id"], entry["correlation_id"]) == (job.id, job.slot_id, "order 7")
    assert len(seen) == 2


def test_a_cancelled_job_does_not_wait(open_pool: OpenPool) -> None:
    """It is gone from ``waiting`` at once."""
    pool = open_pool()
    with busy(pool):
        jobs = [pool.apply_async(_noop) for _ in range(3)]
        assert jobs[1].cancel()
        assert pool.info["waiting"] == 2


def test_stats_count_every_outcome(open_pool: OpenPool, traits: Traits) -> None:
    """By the name of the outcome; and what was counted stays counted when the pool has stopped."""
    pool = open_pool()
    expected = dict.fromkeys(["succeeded", "failed", "timed_out", "lost", "terminated", "cancelled"], 0)
    assert _as_json(pool.stats)["jobs"] == expected
    for _ in range(3):
        apply(pool, _noop).value()
        expected["succeeded"] += 1
    for _ in range(2):
        apply(pool, divmod, 1, 0).error()
        expected["failed"] += 1
    with busy(pool):
        assert pool.apply_async(_noop).cancel()
        expected["cancelled"] += 1
        assert pool.apply_async(_noop).terminate()
        expected["terminated"] += 1
    expected["succeeded"] += 1
    if traits.terminate:
        record = apply(pool, spend, PATIENCE)
        record.accepted()
        assert record.job.terminate()
        record.error()
        expected["terminated"] += 1
    if traits.hard_timeout:
        apply(pool, spend, PATIENCE, timeout=0.01).error()
        expected["timed_out"] += 1
    assert pool.join(PATIENCE)
    assert _as_json(pool.stats)["jobs"] == expected
    pool.stop()
    assert pool.stats["jobs"] == expected


def _feed(pool: BasePool, numbers: range) -> list[JobState]:
    jobs = []
    for number in numbers:
        jobs.append(pool.apply_async(_noop) if number % 3 else pool.apply_async(divmod, (1, 0)))
        if number % 5 == 0:
            jobs[-1].cancel()
    for job in jobs:
        assert job.wait(PATIENCE)
    return [job.state for job in jobs]


def test_the_counts_add_up(open_pool: OpenPool, several: int) -> None:
    """Of four thousand jobs from four threads each is counted once, under the outcome that it had."""
    pool = open_pool(several)
    threads = [NativeThread(pool, _feed, pool, range(1000)) for _ in range(4)]
    states = [state for thread in threads for state in thread.join()]
    assert pool.join(PATIENCE)
    counted = pool.stats["jobs"]
    assert sum(counted.values()) == 4000
    for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED):
        assert counted[state.value] == states.count(state)


def test_info_is_true_under_load(open_pool: OpenPool, several: int) -> None:
    """However often one looks while jobs come and go: each job once, none more than slots, none in two slots."""
    pool = open_pool(several)
    told: list[str] = []

    def look() -> None:
        running = pool.info["running"]
        if len(running) != len({entry["job"] for entry in running}):
            told.append(f"a job twice: {running}")
        if any(entry["seconds"] < 0 for entry in running):
            told.append(f"a job of the future: {running}")

    def feed() -> None:
        jobs = [pool.apply_async(look, accept_callback=lambda *_: None) for _ in range(500)]
        for job in jobs:
            job.result(PATIENCE)

    threads = [NativeThread(pool, feed) for _ in range(3)]
    for thread in threads:
        thread.join()
    assert told == []
    assert pool.stats["jobs"]["succeeded"] == 1500


def test_each_life_counts_anew(open_pool: OpenPool) -> None:
    """``restart`` begins new statistics; the uptime runs from the start."""
    pool = open_pool()
    apply(pool, _noop).value()
    pool.restart()
    stats = _as_json(pool.stats)
    assert sum(stats["jobs"].values()) == 0
    assert 0 <= stats["uptime"] < PATIENCE


@pytest.mark.needs("resize")
def test_info_knows_the_size(open_pool: OpenPool) -> None:
    """``concurrency`` is what it is after ``grow`` and ``shrink``."""
    pool = open_pool(1)
    pool.grow(3)
    assert pool.info["concurrency"] == pool.concurrency == 4
    pool.shrink(2)
    assert pool.info["concurrency"] == pool.concurrency == 2
