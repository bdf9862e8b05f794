"""Point 5: time limits mean the same everywhere."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest

from pools import BasePool, current_job
from pools.errors import SoftTimeLimitExceeded, TimeLimitExceeded, UnsupportedError
from pools.spec import Traits
from pools.states import JobState
from pools.testing import looks, targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import Log
from pools.testing.history import patience
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish
from pools.testing.waiting import eventually, pause

soft = pytest.mark.needs("soft_timeout")
hard = pytest.mark.needs("hard_timeout")

#: Seconds that are enough to get from one line to the next, on a busy machine too.
AMPLE = 0.15

#: The limits, each with the trait that promises it.
LIMITS = [pytest.param("soft_timeout", marks=soft), pytest.param("timeout", marks=hard)]


# -- Soft limits -------------------------------------------------------------------------------------------------------


@soft
def test_a_soft_limit_is_raised_in_the_job(one: BasePool) -> None:
    """Uncaught, it is the outcome: timed out, told once, when it has passed and not long after."""
    began = monotonic()
    record = apply(one, targets.spend, patience(), soft_timeout=0.05)
    error = record.error()
    assert 0.05 <= monotonic() - began < patience() / 2
    assert isinstance(error, SoftTimeLimitExceeded)
    assert "0.05" in str(error), f"the error does not say what the limit was: {error}"
    assert record.state is JobState.TIMED_OUT
    assert record.timeouts == [(True, 0.05)]
    assert record.kinds == ["accepted", "timeout", "error"]
    record.check()


@soft
def test_a_host_may_have_its_own_error_for_soft_limits(open_pool: OpenPool) -> None:
    pool = open_pool(1, soft_error=looks.Deadline)
    error = apply(pool, targets.spend, patience(), soft_timeout=0.05).error()
    assert isinstance(error, looks.Deadline)
    with pytest.raises(ValueError, match="soft_error must be a subclass of SoftTimeLimitExceeded, not "):
        open_pool(1, soft_error=ValueError)


@soft
def test_a_job_may_catch_its_soft_limit_and_clean_up(one: BasePool) -> None:
    """What it returns then is the outcome."""
    record = apply(one, looks.catch_soft_limit, patience(), soft_timeout=AMPLE)
    assert record.value() == "partial"
    assert record.kinds == ["accepted", "timeout", "value"]
    assert record.timeouts == [(True, AMPLE)]
    record.check()


@soft
def test_a_soft_limit_is_raised_once(one: BasePool) -> None:
    """A job that caught it goes on for as long as it likes."""
    record = apply(one, looks.count_soft_limits, 3, 1.2 * AMPLE, soft_timeout=AMPLE)
    assert record.value() == 1
    assert record.timeouts == [(True, AMPLE)]


@soft
def test_an_error_on_the_way_out_of_a_soft_limit_is_the_outcome(one: BasePool) -> None:
    """A job may turn the limit into an error of its own."""
    record = apply(one, looks.cross_soft_limit, patience(), soft_timeout=AMPLE)
    assert type(record.error()) is KeyError
    assert record.state is JobState.FAILED


# -- Hard limits -------------------------------------------------------------------------------------------------------


@hard
def test_a_hard_limit_ends_the_job(one: BasePool) -> None:
    """``TimeLimitExceeded``, told once, when it has passed and not long after."""
    began = monotonic()
    record = apply(one, targets.spend, patience(), timeout=0.05)
    error = record.error()
    assert 0.05 <= monotonic() - began < patience() / 2
    assert isinstance(error, TimeLimitExceeded)
    assert error.seconds == 0.05
    assert "0.05" in str(error)
    assert record.state is JobState.TIMED_OUT
    assert record.timeouts == [(False, 0.05)]
    assert record.kinds == ["accepted", "timeout", "error"]
    record.check()


@hard
@pytest.mark.parametrize("target", [targets.stuck_in_here, targets.compute])
def test_the_stack_of_a_job_past_its_hard_limit(one: BasePool, target: Any) -> None:
    """It is where the job stood, and in the text of the error, without a line of the pool's own."""
    error = apply(one, target, patience(), timeout=0.3).error()
    assert isinstance(error, TimeLimitExceeded)
    assert target.__name__ in error.stack, f"not where the job stood: {error.stack!r}"
    assert error.stack in str(error)
    assert "pools/job.py" not in error.stack


@hard
def test_the_slot_is_there_for_the_next_job(one: BasePool, subject: PoolUnderTest) -> None:
    """Nobody waits for the job that was ended for longer than it takes to end it."""
    for _ in range(subject.rounds(4)):
        first, second = apply(one, targets.spend, patience(), timeout=0.02), apply(one, targets.give, 5)
        assert isinstance(first.error(), TimeLimitExceeded)
        assert second.value() == 5
        finish([first, second])
    assert one.concurrency == 1
    with busy(one):
        pass


@hard
@pytest.mark.parametrize("target", [targets.beat, looks.beat_on])
def test_a_job_past_its_hard_limit_is_stopped(one: BasePool, target: Any) -> None:
    """In fact, and not by its outcome alone; ``except Exception`` does not keep it alive."""
    log = Log()
    record = apply(one, target, log.path, targets.GIVE_UP, timeout=AMPLE)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert eventually(lambda: not log.grows(0.3)), "the job goes on past its hard limit"
    assert eventually(lambda: not one.info["strays"])
    record.check()


@soft
@hard
def test_both_limits(one: BasePool) -> None:
    """First the soft one, then the hard one if the job does not end by then; each is told once."""
    record = apply(one, looks.outlast_soft_limit, patience(), soft_timeout=AMPLE, timeout=3 * AMPLE)
    assert isinstance(record.error(), TimeLimitExceeded)
    assert record.timeouts == [(True, AMPLE), (False, 3 * AMPLE)]
    assert record.kinds == ["accepted", "timeout", "timeout", "error"]
    record.check()


@soft
@hard
def test_a_job_that_keeps_its_limits(one: BasePool) -> None:
    """Is told of none, also when they would pass after its end."""
    record = apply(one, targets.give, 1, soft_timeout=2 * AMPLE, timeout=3 * AMPLE)
    assert record.value() == 1
    pause(3.2 * AMPLE)
    assert record.kinds == ["accepted", "value"]


# -- What counts -------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("limit", LIMITS)
def test_the_limits_of_the_pool(open_pool: OpenPool, limit: str) -> None:
    """They hold for jobs that are given none of their own; a job's own limit comes before them."""
    pool = open_pool(**{limit: AMPLE})
    longer = apply(pool, targets.spend, 2 * AMPLE, **{limit: patience()})
    longer.value()
    record = apply(pool, targets.spend, patience())
    assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
    assert record.timeouts == [(limit == "soft_timeout", AMPLE)]
    shorter = apply(pool, targets.spend, patience(), **{limit: 0.02})
    shorter.error()
    assert shorter.timeouts == [(limit == "soft_timeout", 0.02)]
    assert pool.info["limits"][limit] == AMPLE
    pool.restart()
    assert apply(pool, targets.spend, patience()).error()


@pytest.mark.long
@pytest.mark.parametrize("limit", LIMITS)
def test_limits_count_from_acceptance(one: BasePool, subject: PoolUnderTest, limit: str) -> None:
    """Not from submission: a job may wait for its slot for longer than it may run."""
    limited = [apply(one, targets.span, 0.3, **{limit: 0.6}) for _ in range(3 if subject.quick else 4)]
    for record in limited:
        record.value()
        assert record.timeouts == []
        assert record.job.accepted_at is not None
        if limit == "timeout":
            assert record.job.deadline == record.job.accepted_at + 0.6
    finish(limited)


@pytest.mark.parametrize("limit", LIMITS)
def test_each_job_has_its_own_limit(pool: BasePool, several: int, limit: str) -> None:
    """A later one, an earlier one and none, beside each other and in any order."""
    seconds = [patience(), 0.3, 0.05, 0.15, 0.02]
    records = [apply(pool, targets.spend, 2 * patience(), **{limit: each}) for each in seconds[1:]]
    free = apply(pool, targets.span, 0.01)
    generous = apply(pool, targets.span, 0.01, **{limit: seconds[0]})
    for record, each in zip(records, seconds[1:], strict=True):
        assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
        assert record.timeouts == [(limit == "soft_timeout", each)]
        assert record.job.accepted_at is not None
    for record in (free, generous):
        record.value()
        assert record.timeouts == []


@pytest.mark.parametrize("limit", LIMITS)
def test_each_pool_has_its_own_limits(one: BasePool, open_pool: OpenPool, limit: str) -> None:
    """Whichever of two pools of a process was opened last, or used last."""
    other = open_pool(1)
    for pool in (one, other, one, other):
        began = monotonic()
        error = apply(pool, targets.spend, 2 * patience(), **{limit: 0.02}).error()
        assert isinstance(error, SoftTimeLimitExceeded | TimeLimitExceeded)
        assert monotonic() - began < patience() / 2


@hard
def test_a_job_knows_its_deadline(one: BasePool) -> None:
    """``current_job()``: its id, its deadline and ``cancel_requested``; outside a job it is None."""
    limited, free = apply(one, looks.look_at_job, timeout=patience()), apply(one, looks.look_at_job)
    for record in (limited, free):
        seen = record.value()
        assert (seen["id"], seen["accepted_at"]) == (record.job.id, record.job.accepted_at)
        assert seen["cancel_requested"] is False
    assert limited.job.deadline is not None
    assert limited.value()["deadline"] == pytest.approx(limited.job.deadline, abs=1e-6)
    assert free.value()["deadline"] is None
    assert current_job() is None


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), "3"])
def test_a_limit_that_makes_no_sense(one: BasePool, subject: PoolUnderTest, limit: str, seconds: Any) -> None:
    """It is refused when it is given, to a pool or to a job."""
    options: dict[str, Any] = {limit: seconds}
    with pytest.raises(ValueError, match=limit):
        subject.open(1, **options)
    with pytest.raises(ValueError, match=limit):
        one.apply_async(int, **options)
    assert apply(one, targets.give, 1).value() == 1


# -- What is not promised ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "trait"),
    [
        pytest.param("soft_timeout", "soft_timeout", marks=pytest.mark.lacks("soft_timeout")),
        pytest.param("timeout", "hard_timeout", marks=pytest.mark.lacks("hard_timeout")),
    ],
)
def test_a_limit_that_is_not_promised(
    one: BasePool, subject: PoolUnderTest, traits: Traits, limit: str, trait: str
) -> None:
    """It is refused at once, to a pool and to a job, naming pool and trait."""
    options: dict[str, Any] = {limit: 5.0}
    for call in (lambda: subject.open(1, **options), lambda: one.apply_async(int, **options)):
        with pytest.raises(UnsupportedError, match=rf"{one.name}.*{trait}"):
            call()
    assert apply(one, targets.give, 1).value() == 1
