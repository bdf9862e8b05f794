"""Point 5: time limits."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from pools.errors import SoftTimeLimitExceeded, TimeLimitExceeded
from pools.states import JobState
from tests.contract.records import PATIENCE, apply
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, pids, settled
from tests.prefork.targets import compute_in_c, echo, hold, spend, spin, stuck_in_c, stuck_in_python

# -- Soft limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [spend, spin])
def test_a_soft_limit_is_raised_in_the_job(open_pool: OpenPool, target: Any) -> None:
    """Uncaught, it is the outcome, and the child lives on."""
    pool = open_pool()
    child = apply(pool, targets.pid).value()
    record = apply(pool, target, PATIENCE, soft_timeout=0.02)
    error = record.error()
    assert isinstance(error, SoftTimeLimitExceeded)
    assert str(error) == f"{record.job} passed its soft time limit of 0.02 s"
    assert record.job.state is JobState.TIMED_OUT
    assert record.timeouts == [(True, 0.02)]
    record.check()
    assert apply(pool, targets.pid).value() == child


def test_what_a_job_makes_of_its_soft_limit(open_pool: OpenPool) -> None:
    """It may clean up and return, or turn it into an error of its own; it is raised once."""
    pool = open_pool()
    apply(pool, echo, 1).value()
    caught = apply(pool, targets.catch_soft_limit, PATIENCE, soft_timeout=0.1)
    assert caught.value() == "partial"
    assert caught.kinds == ["accepted", "timeout", "value"]
    crossed = apply(pool, targets.cross_soft_limit, PATIENCE, soft_timeout=0.1)
    assert isinstance(crossed.error(), KeyError)
    assert crossed.job.state is JobState.FAILED
    counted = apply(pool, targets.count_soft_limits, 3, 0.15, soft_timeout=0.1)
    assert counted.value() == 1
    assert counted.timeouts == [(True, 0.1)]


def test_a_shield_defers_a_soft_limit(open_pool: OpenPool) -> None:
    """To its end; and not a hard one."""
    pool = open_pool()
    apply(pool, echo, 1).value()
    record = apply(pool, targets.shielded, 0.2, PATIENCE, soft_timeout=0.1)
    assert record.value() == (True, True)
    assert record.timeouts == [(True, 0.1)]
    record = apply(pool, targets.shielded, PATIENCE, 0.0, soft_timeout=0.1, timeout=0.2)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert record.timeouts == [(True, 0.1), (False, 0.2)]


def test_a_limit_never_hits_the_next_job(open_pool: OpenPool) -> None:
    """Thousands of jobs that end just at their limit, with others behind them that have none, or a longer one."""
    pool = open_pool(2)
    records = []
    for number in range(1500):
        apply(pool, targets.near_limit, 0.001, (number % 50 - 25) * 2e-5, soft_timeout=0.001)
        records.append((apply(pool, echo, number), number))
        records.append((apply(pool, echo, -number, soft_timeout=PATIENCE, timeout=2 * PATIENCE), -number))
    for record, number in records:
        assert record.value() == number
        assert record.kinds == ["accepted", "value"]


# -- Hard limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "source"),
    [
        (stuck_in_python, "spin(PATIENCE)"),
        (stuck_in_c, "compute_in_c()"),
        (unruly.swallow_everything, "unruly.py"),  # it is between two lines now and then
    ],
)
def test_a_hard_limit_ends_the_job(open_pool: OpenPool, target: Any, source: str) -> None:
    """``TimeLimitExceeded``, with the stack where the job stood; the child is replaced."""
    pool = open_pool()
    child = apply(pool, targets.pid).value()
    args = (PATIENCE,) if target is unruly.swallow_everything else ()
    record = apply(pool, target, *args, timeout=0.05)
    error = record.error()
    assert isinstance(error, TimeLimitExceeded)
    assert error.seconds == 0.05
    assert "time limit of 0.05 s" in str(error)
    assert target.__name__ in error.stack
    assert source in error.stack
    assert "pools/" not in error.stack
    assert error.stack in str(error)
    assert record.job.state is JobState.TIMED_OUT
    assert record.timeouts == [(False, 0.05)]
    record.check()
    assert apply(pool, targets.pid).value() != child
    settled(lambda: alive(child), False)


def test_the_stack_is_the_job_s_own(open_pool: OpenPool) -> None:
    """Not that of one which was stuck in the same child, or the same pool, before."""
    pool = open_pool()
    for _ in range(2):
        first = apply(pool, stuck_in_c, timeout=0.1).error()
        second = apply(pool, stuck_in_python, timeout=0.1).error()
        assert isinstance(first, TimeLimitExceeded)
        assert isinstance(second, TimeLimitExceeded)
        assert "stuck_in_c" in first.stack
        assert "stuck_in_python" not in first.stack
        assert "stuck_in_python" in second.stack


def test_both_limits(open_pool: OpenPool) -> None:
    """First the soft one, then the hard one if the job does not end by then; each is told once, in this order."""
    pool = open_pool()
    for target in (unruly.swallow_everything, compute_in_c):
        args = (PATIENCE,) if target is unruly.swallow_everything else ()
        record = apply(pool, target, *args, soft_timeout=0.03, timeout=0.08)
        assert isinstance(record.error(), TimeLimitExceeded)
        assert record.kinds == ["accepted", "timeout", "timeout", "error"]
        assert record.timeouts == [(True, 0.03), (False, 0.08)]
        record.check()


def test_other_jobs_notice_nothing_of_a_limit(open_pool: OpenPool) -> None:
    """Those that wait behind, in the child's hands or not, run; one that runs beside goes on."""
    pool = open_pool(2)
    for _ in range(20):
        apply(pool, echo, 1).value()  # so that the children get several jobs at a time
    beside = apply(pool, spend, 0.2)
    late = apply(pool, stuck_in_c, timeout=0.05)
    behind = [apply(pool, echo, number) for number in range(50)]
    assert [record.value() for record in behind] == list(range(50))
    assert isinstance(late.error(), TimeLimitExceeded)
    beside.value()
    settled(lambda: pool.stats["restarts"], {"killed": 1})


@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_the_limits_of_the_pool(open_pool: OpenPool, limit: str) -> None:
    """They hold for jobs that are given none of their own; a job's own limit comes before them."""
    pool = open_pool(**{limit: 0.05})
    record = apply(pool, spend, PATIENCE)
    assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
    assert record.timeouts == [(limit == "soft_timeout", 0.05)]
    apply(pool, spend, 0.1, **{limit: PATIENCE}).value()
    assert pool.info["limits"][limit] == 0.05


def test_limits_count_from_acceptance(open_pool: OpenPool) -> None:
    """Not from submission, nor from when the child was sent the job."""
    pool = open_pool()
    records = [apply(pool, spend, 0.02, timeout=0.25, soft_timeout=0.2) for _ in range(20)]
    for record in records:
        record.value()
        assert record.job.accepted_at is not None
        assert record.job.deadline == record.job.accepted_at + 0.25


def test_what_a_job_knows_of_itself(open_pool: OpenPool) -> None:
    """``current_job()``."""
    pool = open_pool()
    record = apply(pool, targets.look_at_job, timeout=PATIENCE, correlation_id="mine")
    seen = record.value()
    job = record.job
    assert seen == {
        "id": job.id,
        "slot_id": job.slot_id,
        "accepted_at": job.accepted_at,
        "deadline": job.deadline,
        "correlation_id": "mine",
        "cancel_requested": False,
        "pool": "prefork",
    }
    assert apply(pool, targets.look_at_job).value()["deadline"] is None


# -- Children that stand still -----------------------------------------------------------------------------------------


def test_a_stopped_child_is_found_by_the_hard_limit(open_pool: OpenPool, tmp_path: Path) -> None:
    """It cannot say where its job stands, and is replaced."""
    pool = open_pool()
    record = apply(pool, hold, str(tmp_path / "never"), timeout=0.15)
    record.accepted()
    (child,) = pids(pool)
    os.kill(child, signal.SIGSTOP)
    began = monotonic()
    assert isinstance(record.error(), TimeLimitExceeded)
    assert monotonic() - began < 2.0
    assert apply(pool, echo, 5).value() == 5
    settled(lambda: alive(child), False)


def test_a_stopped_child_is_found_by_the_stall_limit(open_pool: OpenPool) -> None:
    """The job that it was sent runs elsewhere, as do those behind it."""
    pool = open_pool(stall_timeout=0.3)
    for _ in range(20):
        apply(pool, echo, 1).value()
    (child,) = pids(pool)
    os.kill(child, signal.SIGSTOP)
    records = [apply(pool, echo, number) for number in range(10)]
    assert [record.value() for record in records] == list(range(10))
    settled(lambda: alive(child), False)
    for record in records:
        record.check()


def test_a_limit_begins_with_the_job_that_a_stopped_child_never_began(open_pool: OpenPool) -> None:
    """A job that waits in a child's hands has begun none of its time."""
    pool = open_pool(stall_timeout=0.3)
    apply(pool, echo, 1).value()
    (child,) = pids(pool)
    os.kill(child, signal.SIGSTOP)
    record = apply(pool, spend, 0.05, timeout=0.25)
    record.value()
    assert record.timeouts == []


def test_a_job_that_begins_late_has_its_limits(open_pool: OpenPool) -> None:
    """Later than its limit after it was sent, as its child stood still; another child's limits come meanwhile."""
    pool = open_pool(2)
    beside = apply(pool, spend, PATIENCE, soft_timeout=0.5)
    beside.accepted()
    apply(pool, echo, 1).value()
    (child,) = [child["pid"] for child in pool.info["children"] if child["job"] is None]
    os.kill(child, signal.SIGSTOP)
    job = pool.apply_async(spend, (PATIENCE,), soft_timeout=0.1)
    assert isinstance(beside.error(), SoftTimeLimitExceeded)
    os.kill(child, signal.SIGCONT)
    assert isinstance(job.exception(2.0), SoftTimeLimitExceeded)
