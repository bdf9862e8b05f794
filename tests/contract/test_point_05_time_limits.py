"""Point 5: time limits mean the same everywhere."""

from __future__ import annotations

import contextlib
from threading import Thread
from time import monotonic
from typing import Any

import pytest

import pools
from pools import current_job
from pools.errors import SoftTimeLimitExceeded, StopJob, TimeLimitExceeded, UnsupportedError
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.records import AMPLE, PATIENCE, apply, job_here, spend, wait

soft = pytest.mark.needs("soft_timeout")
hard = pytest.mark.needs("hard_timeout")


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


class Deadline(SoftTimeLimitExceeded):
    """The name under which a host's jobs know a soft limit."""


@soft
def test_a_host_may_have_its_own_error_for_soft_limits(open_pool: OpenPool) -> None:
    pool = open_pool(soft_error=Deadline)
    error = apply(pool, spend, PATIENCE, soft_timeout=0.02).error()
    assert type(error).__name__ == "Deadline"
    assert isinstance(error, Deadline)
    with pytest.raises(ValueError, match="soft_error must be a subclass of SoftTimeLimitExceeded, not "):
        open_pool(soft_error=ValueError)


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

    record = apply(open_pool(), job, soft_timeout=AMPLE)
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
                spend(1.2 * AMPLE)
            except SoftTimeLimitExceeded:
                caught += 1
        return caught

    record = apply(open_pool(), job, soft_timeout=AMPLE)
    assert record.value() == 1
    assert record.timeouts == [(True, AMPLE)]


@soft
def test_an_error_on_the_way_out_of_a_soft_limit_is_the_outcome(open_pool: OpenPool) -> None:
    """A job may turn the limit into an error of its own."""

    def job() -> None:
        try:
            spend(PATIENCE)
        except SoftTimeLimitExceeded as error:
            raise KeyError("mine") from error

    record = apply(open_pool(), job, soft_timeout=AMPLE)
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

    record = apply(pool, job, timeout=AMPLE)
    assert isinstance(record.error(), TimeLimitExceeded)
    wait(cleaned)
    assert seen == [StopJob]
    record.check()


@hard
def test_a_job_that_swallows_its_stop(open_pool: OpenPool) -> None:
    """It gains nothing: the outcome stands, and the next job runs when the slot is free of it."""
    pool = open_pool()
    swallowed: list[BaseException] = []
    stopped = pool.new_event()

    def job() -> str:
        try:
            spend(PATIENCE)
        except StopJob as error:
            swallowed.append(error)
            stopped.set()
        return "in vain"

    record = apply(pool, job, timeout=AMPLE)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert apply(pool, int, 5).value() == 5
    wait(stopped)
    pool.stop()
    assert record.kinds == ["accepted", "timeout", "error"]
    assert len(swallowed) == 1
    record.check()


@soft
@hard
def test_both_limits(open_pool: OpenPool) -> None:
    """First the soft one, then the hard one if the job does not end by then; each is told once."""

    def job() -> None:
        try:
            spend(PATIENCE)
        except SoftTimeLimitExceeded:
            spend(PATIENCE)

    record = apply(open_pool(), job, soft_timeout=AMPLE, timeout=3 * AMPLE)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert record.timeouts == [(True, AMPLE), (False, 3 * AMPLE)]
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
    jobs = [apply(pool, spend, 0.02, timeout=0.4) for _ in range(25)]
    for record in jobs:
        record.value()
        assert record.job.accepted_at is not None
        assert record.job.deadline == record.job.accepted_at + 0.4


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
