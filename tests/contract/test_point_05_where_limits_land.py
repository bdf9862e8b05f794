"""Point 5: a limit lands in time, in the job that it is meant for, and neither in a shield nor in the next job."""

from __future__ import annotations

import contextlib
import random
import time
from time import monotonic

import pytest

from pools import shield
from pools.errors import PoolsError, SoftTimeLimitExceeded, StopJob, TimeLimitExceeded
from tests.contract.conftest import OpenPool
from tests.contract.records import AMPLE, PATIENCE, Record, apply, job_here, spend, until

soft = pytest.mark.needs("soft_timeout")
hard = pytest.mark.needs("hard_timeout")


# -- In time -----------------------------------------------------------------------------------------------------------


@hard
def test_a_limit_is_kept_in_time(open_pool: OpenPool, several: int) -> None:
    """Neither before it has passed, nor long after; with later and earlier limits around it."""
    pool = open_pool(several)
    dice = random.Random(6)
    limits = [dice.uniform(0.005, 0.03) for _ in range(40)]
    records = [apply(pool, spend, PATIENCE, timeout=limit) for limit in limits]
    for record, limit in zip(records, limits, strict=True):
        error = record.error()
        assert isinstance(error, TimeLimitExceeded)
        assert error.seconds == limit
        record.check()


@soft
@hard
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_a_limit_that_passes_at_once(open_pool: OpenPool, several: int, limit: str) -> None:
    """Before the job has come to its first line, or thereabouts: it is not lost."""
    pool = open_pool(several)
    for _ in range(25):
        records = [apply(pool, spend, PATIENCE, **{limit: 1e-6 * number}) for number in range(1, 21)]
        for record in records:
            assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
            assert len(record.timeouts) == 1
            record.check()


@soft
@hard
def test_both_limits_are_told_of(open_pool: OpenPool) -> None:
    """In their order, also where nobody could look between the one and the other."""
    # One call into C that lets nobody run: both limits pass inside it.
    record = apply(open_pool(), sum, range(3_000_000), soft_timeout=0.001, timeout=0.002)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert record.timeouts == [(True, 0.001), (False, 0.002)]
    record.check()


@hard
def test_a_job_whose_limit_passed_never_succeeds(open_pool: OpenPool, several: int) -> None:
    """Not even one that held its thread in C, or its hub, where nothing could interrupt it in time."""
    pool = open_pool(several)
    # One call into C that lets nobody run: the limit passes inside it.
    records = [apply(pool, sum, range(3_000_000), timeout=0.001) for _ in range(3)]
    for record in records:
        assert isinstance(record.error(), TimeLimitExceeded)
        assert record.timeouts == [(False, 0.001)]
        record.check()


@soft
@hard
@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_a_job_that_computes_is_interrupted(open_pool: OpenPool, limit: str) -> None:
    """Python code that never waits nor yields; the pool was started on the main thread."""

    def compute() -> None:
        give_up_at = monotonic() + PATIENCE
        while monotonic() < give_up_at:
            pass

    pool = open_pool()
    for _ in range(3):
        began = monotonic()
        record = apply(pool, compute, **{limit: 0.03})
        assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
        assert monotonic() - began < PATIENCE / 2
        assert record.timeouts == [(limit == "soft_timeout", 0.03)]
        record.check()
    assert apply(pool, int, 5).value() == 5


@hard
def test_the_stack_of_a_job_that_computes(open_pool: OpenPool) -> None:
    """It names the function, as that of a job that waits does."""

    def compute_in_here() -> None:
        give_up_at = monotonic() + PATIENCE
        while monotonic() < give_up_at:
            pass

    error = apply(open_pool(), compute_in_here, timeout=0.03).error()
    assert isinstance(error, TimeLimitExceeded)
    assert "compute_in_here" in error.stack


# -- Shields -----------------------------------------------------------------------------------------------------------


@soft
def test_a_shield_defers_a_soft_limit(open_pool: OpenPool) -> None:
    """It is raised when the outermost block ends, and never inside."""
    steps: list[str] = []

    def job() -> None:
        try:
            with shield():
                with shield():
                    spend(0.05)
                    steps.append("inner")
                spend(0.005)
                steps.append("outer")
            steps.append("not reached")
        except SoftTimeLimitExceeded:
            steps.append("limit")

    record = apply(open_pool(), job, soft_timeout=0.02)
    record.value()
    assert steps == ["inner", "outer", "limit"]
    assert record.timeouts == [(True, 0.02)]


@soft
def test_a_shield_that_ends_in_time_changes_nothing(open_pool: OpenPool) -> None:
    """The limit is raised where it passes, after the block."""

    def job() -> str:
        with shield():
            spend(0.001)
        try:
            spend(PATIENCE)
        except SoftTimeLimitExceeded:
            return "after"
        return "never"

    assert apply(open_pool(), job, soft_timeout=AMPLE).value() == "after"


@hard
def test_a_shield_does_not_defer_a_hard_limit(open_pool: OpenPool) -> None:
    """The deadline stands."""

    def job() -> None:
        with shield():
            spend(PATIENCE)

    assert isinstance(apply(open_pool(), job, timeout=0.02).error(), TimeLimitExceeded)


@soft
def test_shields_race_with_soft_limits(open_pool: OpenPool, several: int) -> None:
    """Thousands of critical sections about the time of the limit: it lands in none of them."""
    pool = open_pool(several)
    cut: list[int] = []

    def job(number: int) -> None:
        # Long after the limit at the latest; the test is in what happens about that time.
        give_up_at = monotonic() + PATIENCE
        while monotonic() < give_up_at:
            with shield():
                inside = True
                try:
                    time.sleep(0)
                    inside = False
                finally:
                    if inside:
                        cut.append(number)

    records = [apply(pool, job, number, soft_timeout=0.001) for number in range(1000)]
    for record in records:
        assert isinstance(record.error(), SoftTimeLimitExceeded)
        record.check()
    assert cut == []


def test_a_shield_outside_a_job() -> None:
    """There is nothing to defer: an error that says so."""
    with pytest.raises(PoolsError, match="does not run in a job"), shield():
        pass


# -- The next job ------------------------------------------------------------------------------------------------------


@soft
def test_a_soft_limit_never_hits_the_next_job(open_pool: OpenPool, several: int) -> None:
    """Jobs that end about their limit, with jobs without limits after them in the same slots: thousands."""
    pool = open_pool(several)
    dice = random.Random(7)

    def near(offset: float) -> None:
        job = job_here()
        assert job.accepted_at is not None
        until(job.accepted_at + 0.001 + offset)

    def innocent() -> int:
        return sum(1 for _ in range(50))

    for _ in range(8):
        records: list[tuple[Record, list[Record]]] = []
        for _ in range(150):
            late = apply(pool, near, dice.uniform(-2e-4, 1e-4), soft_timeout=0.001)
            records.append((late, [apply(pool, innocent) for _ in range(2)]))
        for late, others in records:
            late.ended()
            late.check()
            for other in others:
                assert other.value() == 50
                other.check()


@soft
@hard
def test_limits_never_hit_the_next_job(open_pool: OpenPool, several: int) -> None:
    """The same with hard limits, and with jobs that swallow what is raised in them."""
    pool = open_pool(several)
    dice = random.Random(8)

    def near(offset: float) -> None:
        job = job_here()
        assert job.accepted_at is not None
        with contextlib.suppress(SoftTimeLimitExceeded, StopJob):
            until(job.accepted_at + 0.001 + offset)

    for _ in range(8):
        records: list[tuple[Record, Record]] = []
        for _ in range(100):
            limits = {"soft_timeout": 0.001, "timeout": 0.001 + dice.uniform(0.0, 2e-4)}
            records.append((apply(pool, near, dice.uniform(-2e-4, 3e-4), **limits), apply(pool, int, 5)))
        for late, other in records:
            late.ended()
            late.check()
            assert other.value() == 5
            other.check()
