"""Children that come up, or do not, and those that are replaced."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

import pools
from pools.states import JobState
from pools.testing.leftovers import holdings, leftovers
from tests.contract.records import apply
from tests.prefork import targets
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.targets import echo

# -- Coming up ---------------------------------------------------------------------------------------------------------


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
