"""Children that come up, or do not, and those that are replaced."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from pathlib import Path
from time import monotonic

import pytest

import pools
from pools.errors import BrokenPoolError, MemoryLimitExceeded
from pools.states import JobState
from tests.contract.leftovers import holdings, leftovers
from tests.contract.records import apply
from tests.prefork import targets
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.targets import echo, noted, spend

METHODS = ["fork", "forkserver", "spawn"]


# -- Coming up ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_an_initializer(open_pool: OpenPool, method: str) -> None:
    """It is called in each child before its first job."""
    pool = open_pool(2, start_method=method, initializer=targets.set_up, initargs=("mine",), max_tasks_per_child=1)
    assert [apply(pool, targets.setting).value() for _ in range(4)] == ["mine"] * 4


def test_an_initializer_that_always_fails(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The pool is broken: what waits fails with what the initializer raised, and no storm of forks follows."""
    log = str(tmp_path / "log")
    pool = open_pool(2, initializer=targets.fail_to_begin, initargs=(log,))
    job = pool.apply_async(echo, (1,))
    error = job.exception(20.0)
    assert isinstance(error, BrokenPoolError)
    assert "no settings" in str(error)
    assert isinstance(error.__cause__, LookupError)
    with pytest.raises(BrokenPoolError, match=r"pool prefork is broken: .*no settings"):
        pool.apply_async(echo, (1,))
    tried = len(noted(log))
    assert tried < 15
    settled(lambda: pool.info["children"], [])
    assert len(noted(log)) <= tried + 2
    pool.stop()
    caplog.clear()


def test_an_initializer_that_fails_at_first(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Children that die at their start are replaced, after a while, and the job notices nothing."""
    log = str(tmp_path / "log")
    pool = open_pool(1, initializer=targets.die_first, initargs=(log, 3))
    assert apply(pool, echo, 1).value() == 1
    assert len(noted(log)) == 4
    pool.stop()
    caplog.clear()


def test_a_child_that_does_not_come_up(open_pool: OpenPool, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """It is killed in time, and another one comes."""
    log = str(tmp_path / "log")
    pool = open_pool(1, initializer=targets.begin_slowly, initargs=(log, 60.0), proc_alive_timeout=0.4)
    began = monotonic()
    assert apply(pool, echo, 1).value() == 1
    assert 0.4 <= monotonic() - began < 5.0
    assert len(noted(log)) == 2
    assert [entry.getMessage() for entry in caplog.get_records("call")] == [
        "child 1 of pool prefork is killed: it was not up after 0.4 s"
    ]
    caplog.clear()


def test_broken_when_it_stops(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """It leaves nothing."""
    before = holdings()
    for end in ("stop", "terminate"):
        pool = pools.open(
            "prefork", 2, initializer=targets.fail_to_begin, initargs=(str(tmp_path / end),), start_method="fork"
        )
        job = pool.apply_async(echo, (1,))
        getattr(pool, end)()
        assert job.done()
        assert leftovers(before) == ""
    caplog.clear()


# -- Recycling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 3, 40])
def test_max_tasks_per_child(open_pool: OpenPool, tmp_path: Path, most: int) -> None:
    """No child runs more jobs, and no job is lost or doubled."""
    log = str(tmp_path / "log")
    pool = open_pool(2, max_tasks_per_child=most)
    count = 60 if most == 1 else 300
    records = [apply(pool, targets.note_pid, log, number) for number in range(count)]
    ran = Counter(record.value() for record in records)
    assert max(ran.values()) <= most
    assert sorted(targets.noted(log), key=int) == [str(number) for number in range(count)]
    for record in records:
        record.check()
    settled(lambda: set(pool.stats["restarts"]), {"tasks"})
    settled(lambda: len(pids(pool)), 2)


def test_max_tasks_with_jobs_one_by_one(open_pool: OpenPool) -> None:
    """The successor is there for the next job."""
    pool = open_pool(1, max_tasks_per_child=2)
    ran = [apply(pool, targets.pid).value() for _ in range(10)]
    assert ran[::2] == ran[1::2]
    assert len(set(ran)) == 5


def test_max_memory_per_child(open_pool: OpenPool) -> None:
    """A child that has more retires after its job."""
    pool = open_pool(1, max_memory_per_child=200_000)
    first = apply(pool, targets.pid).value()
    assert apply(pool, targets.keep, 20 << 20).value() == first
    assert apply(pool, targets.keep, 300 << 20).value() == first
    # It goes on until its successor is up.
    settled(lambda: apply(pool, targets.pid).value() == first, False)
    settled(lambda: pool.stats["restarts"], {"memory": 1})


def test_max_age_per_child(open_pool: OpenPool) -> None:
    """A child that is older retires, and not during its job."""
    pool = open_pool(2, max_age_per_child=0.6)
    records = [apply(pool, spend, 0.02) for _ in range(60)]
    long = apply(pool, spend, 1.5)
    for record in [*records, long]:
        record.value()
        record.check()
    settled(lambda: pool.stats["restarts"].get("age", 0) >= 2, True)


def test_hard_memory_per_child(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """A child that has more is killed during its job, and a job behind runs."""
    pool = open_pool(1, hard_memory_per_child=200_000)
    record, behind = apply(pool, targets.grow_for_ever), apply(pool, echo, 1)
    error = record.error()
    assert isinstance(error, MemoryLimitExceeded)
    assert str(record.job) in str(error)
    assert "KiB of memory, and may have 200000" in str(error)
    assert record.job.state is JobState.FAILED
    record.check()
    assert behind.value() == 1
    pool.stop()
    caplog.clear()


def test_everything_at_once(open_pool: OpenPool, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Children that retire by jobs and age while others are killed, the pool resized and restarted: no job notices."""
    log = str(tmp_path / "log")
    pool = open_pool(3, max_tasks_per_child=20, max_age_per_child=0.3)
    records = []
    for step in range(40):
        records += [apply(pool, targets.note_and_return, log, 25 * step + number) for number in range(25)]
        if step % 10 == 3:
            pool.restart()
        if step % 10 == 5:
            pool.grow()
        if step % 10 == 7:
            pool.shrink()
        if step % 4 == 1 and (living := pids(pool)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(living[0], signal.SIGKILL)
    for record in records:
        record.ended()
        record.check()
    lost = [record for record in records if record.job.state is JobState.LOST]
    assert len(lost) <= 10
    ran = targets.noted(log)
    assert len(ran) == len(set(ran))
    assert len(ran) >= 1000 - len(lost)
    settled(lambda: len(pids(pool)), 3)
    pool.stop()
    caplog.clear()
