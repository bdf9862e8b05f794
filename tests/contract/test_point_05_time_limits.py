"""Point 5: time limits mean the same everywhere."""

from __future__ import annotations

import contextlib
import random
import time
from threading import Thread
from time import monotonic
from typing import Any

import pytest

import pools
from pools import Job, current_job, shield
from pools.errors import PoolsError, SoftTimeLimitExceeded, StopJob, TimeLimitExceeded, UnsupportedError
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, Record, apply, spend, until, wait

soft = pytest.mark.needs("soft_timeout")
hard = pytest.mark.needs("hard_timeout")


def job_here() -> Job:
    """The job that the calling code runs in."""
    job = current_job()
    assert job is not None
    return job


# -- Soft limits -------------------------------------------------------------------------------------------------------


@soft
def test_a_soft_limit_is_raised_in_the_job(open_pool: OpenPool) -> None:
    """Uncaught, it is the outcome: timed out, with the limit in the message."""
    record = apply(open_pool(), spend, PATIENCE, soft_timeout=0.02)
    error = record.error()
    assert isinstance(error, SoftTimeLimitExceeded)
    assert "soft time limit of 0.02 s" in str(error)
    assert str(record.job) in str(error)
    assert record.job.state is JobState.TIMED_OUT
    assert record.timeouts == [(True, 0.02)]
    record.check()


@soft
def test_a_job_may_catch_its_soft_limit_and_clean_up(open_pool: OpenPool) -> None:
    """What it returns then is the outcome; ``finally`` blocks run."""
    steps: list[str] = []

    def job() -> str:
        try:
            try:
                spend(PATIENCE)
            finally:
                spend(0.005)
                steps.append("cleaned up")
        except SoftTimeLimitExceeded:
            return "partial"
        return "complete"

    record = apply(open_pool(), job, soft_timeout=0.02)
    assert record.value() == "partial"
    assert steps == ["cleaned up"]
    assert record.kinds == ["accepted", "timeout", "value"]
    record.check()


@soft
def test_a_soft_limit_is_raised_once(open_pool: OpenPool) -> None:
    """A job that caught it goes on for as long as it likes."""

    def job() -> int:
        caught = 0
        for _ in range(3):
            try:
                spend(0.03)
            except SoftTimeLimitExceeded:
                caught += 1
        return caught

    record = apply(open_pool(), job, soft_timeout=0.02)
    assert record.value() == 1
    assert record.timeouts == [(True, 0.02)]


@soft
def test_an_error_on_the_way_out_of_a_soft_limit_is_the_outcome(open_pool: OpenPool) -> None:
    """A job may turn the limit into an error of its own."""

    def job() -> None:
        try:
            spend(PATIENCE)
        except SoftTimeLimitExceeded as error:
            raise KeyError("mine") from error

    record = apply(open_pool(), job, soft_timeout=0.02)
    error = record.error()
    assert isinstance(error, KeyError)
    assert isinstance(error.__cause__, SoftTimeLimitExceeded)
    assert record.job.state is JobState.FAILED


@soft
def test_a_soft_limit_interrupts_a_job_that_waits(open_pool: OpenPool, traits: Traits) -> None:
    """In a lock or an event too, on pools that can wake it there."""
    pool = open_pool()
    target, args = (wait, (pool.new_event(),)) if traits.is_green else (spend, (PATIENCE,))
    began = monotonic()
    assert isinstance(apply(pool, target, *args, soft_timeout=0.02).error(), SoftTimeLimitExceeded)
    assert monotonic() - began < PATIENCE / 2


# -- Hard limits -------------------------------------------------------------------------------------------------------


def stuck_in_here(seconds: float) -> None:
    """The function that the stack of a job past its limit names."""
    spend(seconds)


@hard
def test_a_hard_limit_ends_the_job(open_pool: OpenPool) -> None:
    """``TimeLimitExceeded``, with the limit and the stack where the job stood."""
    record = apply(open_pool(), stuck_in_here, 2.0, timeout=0.03)
    error = record.error()
    assert isinstance(error, TimeLimitExceeded)
    assert error.seconds == 0.03
    assert "time limit of 0.03 s" in str(error)
    assert "stuck_in_here" in error.stack
    assert "spend(seconds)" in error.stack
    assert error.stack in str(error)
    assert "pools/job.py" not in error.stack
    assert record.job.state is JobState.TIMED_OUT
    assert record.timeouts == [(False, 0.03)]
    record.check()


@hard
def test_the_slot_is_there_for_the_next_job(open_pool: OpenPool) -> None:
    """At once: nobody waits for the job that was ended."""
    pool = open_pool()
    for _ in range(5):
        first, second = apply(pool, spend, 2.0, timeout=0.02), apply(pool, int, 5)
        assert isinstance(first.error(), TimeLimitExceeded)
        assert second.value() == 5
    assert pool.concurrency == 1


@hard
def test_a_job_past_its_hard_limit_is_stopped(open_pool: OpenPool) -> None:
    """By ``StopJob``, which ``except Exception`` does not catch; what it cleans up, it cleans up."""
    pool = open_pool()
    seen: list[type[BaseException]] = []
    cleaned = pool.new_event()

    def job() -> None:
        try:
            with contextlib.suppress(Exception):
                spend(PATIENCE)
        except BaseException as error:
            seen.append(type(error))
            raise
        finally:
            cleaned.set()

    record = apply(pool, job, timeout=0.02)
    assert isinstance(record.error(), TimeLimitExceeded)
    wait(cleaned)
    assert seen == [StopJob]
    record.check()


@hard
def test_a_job_that_swallows_its_stop(open_pool: OpenPool) -> None:
    """It gains nothing: the outcome stands, and the next job runs when the slot is free of it."""
    pool = open_pool()
    swallowed: list[BaseException] = []

    def job() -> str:
        try:
            spend(PATIENCE)
        except StopJob as error:
            swallowed.append(error)
        return "in vain"

    record = apply(pool, job, timeout=0.02)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert apply(pool, int, 5).value() == 5
    pool.stop()
    assert record.kinds == ["accepted", "timeout", "error"]
    assert len(swallowed) == 1
    record.check()


@hard
def test_both_limits(open_pool: OpenPool) -> None:
    """First the soft one, then the hard one if the job does not end by then; each is told once."""

    def job() -> None:
        try:
            spend(PATIENCE)
        except SoftTimeLimitExceeded:
            spend(PATIENCE)

    if not open_pool().traits.soft_timeout:
        return
    record = apply(open_pool(), job, soft_timeout=0.02, timeout=0.06)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert record.timeouts == [(True, 0.02), (False, 0.06)]
    assert record.kinds == ["accepted", "timeout", "timeout", "error"]
    record.check()


# -- What counts -------------------------------------------------------------------------------------------------------


@soft
@hard
@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_the_limits_of_the_pool(open_pool: OpenPool, limit: str) -> None:
    """They hold for jobs that are given none of their own; a job's own limit comes before them."""
    pool = open_pool(**{limit: 0.03})
    record = apply(pool, spend, PATIENCE)
    assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
    assert record.timeouts == [(limit == "soft_timeout", 0.03)]
    longer = apply(pool, spend, 0.06, **{limit: PATIENCE})
    longer.value()
    shorter = apply(pool, spend, PATIENCE, **{limit: 0.01})
    shorter.error()
    assert shorter.timeouts == [(limit == "soft_timeout", 0.01)]
    assert pool.info["limits"][limit] == 0.03


@hard
def test_limits_count_from_acceptance(open_pool: OpenPool, traits: Traits) -> None:
    """Not from submission: a job may wait for its slot for longer than it may run."""
    pool = open_pool()
    jobs = [apply(pool, spend, 0.02, timeout=0.2) for _ in range(15)]
    for record in jobs:
        record.value()
        assert record.job.accepted_at is not None
        assert record.job.deadline == record.job.accepted_at + 0.2


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


@hard
def test_a_job_knows_its_deadline(open_pool: OpenPool) -> None:
    """``current_job()``: its id, deadline and ``cancel_requested``."""
    pool = open_pool()

    def look() -> tuple[int, float | None, float | None, bool]:
        job = job_here()
        return job.id, job.accepted_at, job.deadline, job.cancel_requested

    limited, free = apply(pool, look, timeout=PATIENCE), apply(pool, look)
    number, accepted_at, deadline, requested = limited.value()
    assert (number, accepted_at) == (limited.job.id, limited.job.accepted_at)
    assert accepted_at is not None
    assert deadline == accepted_at + PATIENCE
    assert requested is False
    assert free.value() == (free.job.id, free.job.accepted_at, None, False)
    assert current_job() is None


@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_limit_that_makes_no_sense(open_pool: OpenPool, pool_name: str, limit: str, seconds: float) -> None:
    """It is refused when it is given, to a pool or to a job."""
    if pools.spec(pool_name).traits.hard_timeout is None:
        return
    options: dict[str, Any] = {limit: seconds}
    with pytest.raises(ValueError, match=f"^{limit} must be a positive number of seconds, not "):
        pools.open(pool_name, **options)
    pool = open_pool()
    with pytest.raises(ValueError, match=f"^{limit} must be a positive number of seconds, not "):
        pool.apply_async(int, **options)
    assert apply(pool, int).value() == 0


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

    assert apply(open_pool(), job, soft_timeout=0.03).value() == "after"


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


# -- Refusals ----------------------------------------------------------------------------------------------------------


def test_limits_where_nothing_can_keep_them(open_pool: OpenPool, traits: Traits) -> None:
    """A pool that interrupts jobs by a POSIX timer takes limits on the main thread alone, and says so elsewhere."""
    pool = open_pool()
    raised: list[BaseException] = []

    def elsewhere() -> None:
        try:
            apply(pool, int, timeout=1.0).value()
        except UnsupportedError as error:
            raised.append(error)

    thread = Thread(target=elsewhere)
    thread.start()
    thread.join(PATIENCE)
    if traits.hard_timeout == "interrupt":
        assert f"pool {pool.name} " in str(raised[0])
        assert "main" in str(raised[0])
    elif traits.hard_timeout is not None:
        assert raised == []
    assert apply(pool, int, 5).value() == 5
