"""Children that die or stand still: what becomes of their job, of those behind it, and of all others."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from pools.errors import RemoteError, WorkerLostError
from pools.states import JobState
from pools_prefork.pool import PreforkPool
from tests.contract.records import PATIENCE, Record, apply
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.programs import is_alive
from tests.prefork.targets import echo, note_and_return, noted, pid, spend

#: Seconds in which a loss is found.
SOON = 1.0


def warm_up(pool: PreforkPool) -> None:
    """Have the children learn that jobs are short, so that they get several at a time."""
    for _ in range(30):
        apply(pool, echo, 1).value()


def check_lost(record: Record, child: int, how: str) -> None:
    """Hold the outcome of a job to it that it says what became of its child."""
    error = record.error()
    assert isinstance(error, WorkerLostError)
    assert record.job.state is JobState.LOST
    pattern = (
        rf"job {record.job.id} of pool prefork was lost: child {record.job.slot_id} of pool prefork \(pid {child}\) "
        rf"{how}; it had (\d+) KiB of memory at its peak"
    )
    found = re.fullmatch(pattern, str(error))
    assert found is not None, str(error)
    assert int(found[1]) > 5000
    record.check()


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize(
    ("target", "argument", "how"),
    [
        (unruly.exit_at_once, 3, "exited with code 3"),
        (unruly.exit_at_once, 0, "exited with code 0"),
        (unruly.raise_signal, signal.SIGKILL, "was killed by SIGKILL"),
        (unruly.raise_signal, signal.SIGSEGV, "was killed by SIGSEGV"),
    ],
)
def test_a_loss_says_what_became_of_the_child(
    open_pool: OpenPool, target: Any, argument: int, how: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And the next job runs; the log says it once."""
    pool = open_pool(1, start_method=method)
    child = apply(pool, pid).value()
    check_lost(apply(pool, target, argument), child, how)
    assert apply(pool, echo, 1).value() == 1
    assert pool.stats["restarts"] == {"died": 1}
    told = [record.getMessage() for record in caplog.records if f"(pid {child})" in record.getMessage()]
    assert len(told) == 1
    assert how in told[0]
    caplog.clear()


def test_a_loss_is_found_at_once(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """With no need for anything else to happen in the pool."""
    pool = open_pool(2)
    for _ in range(5):
        record = apply(pool, spend, PATIENCE)
        record.accepted()
        (child,) = [child["pid"] for child in pool.info["children"] if child["job"]]
        began = monotonic()
        os.kill(child, signal.SIGKILL)
        check_lost(record, child, "was killed by SIGKILL")
        assert monotonic() - began < SOON
    settled(lambda: len(pool.info["children"]), 2)
    caplog.clear()


def leave_a_grandchild(log: str) -> None:
    """Die, and leave a process that holds everything open that this one has."""
    grandchild = os.fork()
    if not grandchild:
        # The lifeline is this process's own; the pipes are the grandchild's as well.
        time.sleep(PATIENCE)
        os._exit(0)
    targets.note(log, os.getpid(), grandchild)
    os._exit(9)


def test_a_loss_is_found_while_a_grandchild_holds_the_pipes(
    open_pool: OpenPool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A death is told by the system, not by the end of a pipe."""
    log = tmp_path / "log"
    pool = open_pool(1)
    warm_up(pool)
    record = apply(pool, leave_a_grandchild, str(log))
    behind = [apply(pool, echo, number) for number in range(20)]
    began = monotonic()
    record.ended()
    assert monotonic() - began < SOON
    child, grandchild = map(int, noted(log)[0].split())
    try:
        check_lost(record, child, "exited with code 9")
        assert is_alive(grandchild)
        assert [other.value() for other in behind] == list(range(20))
        pool.stop()
    finally:
        os.kill(grandchild, signal.SIGKILL)
    caplog.clear()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_only_the_job_that_ran_is_lost(
    open_pool: OpenPool, tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that a child was sent and had not begun run elsewhere, once; those of other children go on."""
    log = tmp_path / "log"
    pool = open_pool(2)
    warm_up(pool)
    records: list[Record] = []
    lost = []
    for index in range(200):
        if index % 40 == 20:
            lost.append(apply(pool, unruly.raise_signal, number))
        records.append(apply(pool, note_and_return, str(log), index))
    assert [record.value() for record in records] == list(range(200))
    assert sorted(map(int, noted(log))) == list(range(200))
    for record in records:
        assert record.kinds == ["accepted", "value"]
    for record in lost:
        assert isinstance(record.error(), WorkerLostError)
        record.check()
    settled(lambda: len(pool.info["children"]), 2)
    caplog.clear()


def test_idle_children_that_are_killed_are_replaced(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """All at once, over and over; jobs that come meanwhile run."""
    pool = open_pool(2)
    for _ in range(5):
        settled(lambda: [child["state"] for child in pool.info["children"]], ["idle", "idle"])
        for child in pids(pool):
            os.kill(child, signal.SIGKILL)
        records = [apply(pool, echo, number) for number in range(10)]
        # A job that a child had begun by then is lost, and no other.
        for record in records:
            record.ended()
        outcomes = [record.history[-1] for record in records]
        assert len([1 for kind, _ in outcomes if kind == "error"]) <= 2
        assert all(kind == "value" or isinstance(outcome, WorkerLostError) for kind, outcome in outcomes)
    caplog.clear()


# -- Children that stand still -----------------------------------------------------------------------------------------


def test_a_child_that_stands_still_holds_up_one_job(open_pool: OpenPool) -> None:
    """That which it was to begin, until the stall limit finds it; what it had behind that runs elsewhere at once."""
    pool = open_pool(2)
    settled(lambda: [child["state"] for child in pool.info["children"]], ["idle", "idle"])
    warm_up(pool)
    child, other = pids(pool)
    os.kill(child, signal.SIGSTOP)
    try:
        records = [apply(pool, pid) for _ in range(200)]
        settled(lambda: sum(record.kinds[-1:] == ["value"] for record in records) >= 199, True)
    finally:
        os.kill(child, signal.SIGCONT)
    values = [record.value() for record in records]
    assert values.count(other) >= 199
    assert pool.stats["restarts"] == {}


# -- What does not come back as it was ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "reason", "summary"),
    [
        ("bad to load", "does not unpickle", "this and that"),
        ("unpicklable", "does not pickle", "not to be pickled"),
    ],
)
def test_an_exception_that_is_not_handed_over(open_pool: OpenPool, kind: str, reason: str, summary: str) -> None:
    """That job alone gets a ``RemoteError``, with the text of its traceback; the child goes on."""
    pool = open_pool(1)
    child = apply(pool, pid).value()
    before = [apply(pool, echo, number) for number in range(20)]
    record = apply(pool, unruly.fail, kind)
    behind = [apply(pool, echo, number) for number in range(20)]
    error = record.error()
    assert isinstance(error, RemoteError)
    assert record.job.state is JobState.FAILED
    for part in (reason, summary, "Traceback (most recent call last)", "unruly.py", "in fail"):
        assert part in str(error)
    assert [other.value() for other in [*before, *behind]] == [*range(20), *range(20)]
    assert apply(pool, pid).value() == child
    record.check()
