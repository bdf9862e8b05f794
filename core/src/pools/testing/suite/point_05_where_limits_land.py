"""Point 5: a limit lands in the job that it is meant for, and neither in a shield nor in the next job."""

from __future__ import annotations

import random
from time import monotonic
from typing import Any

import pytest

from pools import BasePool, shield
from pools.errors import PoolsError, SoftTimeLimitExceeded, TimeLimitExceeded
from pools.testing import looks, targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, busy, finish

soft = pytest.mark.needs("soft_timeout")
hard = pytest.mark.needs("hard_timeout")

#: Seconds that are enough to get from one line to the next, on a busy machine too.
AMPLE = 0.15

LIMITS = [pytest.param("soft_timeout", marks=soft), pytest.param("timeout", marks=hard)]


def _few(subject: PoolUnderTest, count: int, few: int) -> int:
    """How many jobs a pool can end by force in the time that there is: those that kill processes, not so many."""
    return subject.rounds(few) if subject.traits.hard_timeout == "kill" else subject.load(count)


# -- In time -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_passes_at_once(pool: BasePool, subject: PoolUnderTest, limit: str) -> None:
    """Before the job has come to its first line, or thereabouts: it is not lost."""
    records = [
        apply(pool, targets.spend, patience(), **{limit: 1e-6 * (1 + number % 20)})
        for number in range(_few(subject, 150, 8))
    ]
    for record in records:
        assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
        assert len(record.timeouts) == 1
        record.check()


@hard
def test_a_job_whose_limit_passed_never_succeeds(one: BasePool) -> None:
    """Not even one that computes in C, where nothing could interrupt it in time."""
    for _ in range(2):
        record = apply(one, targets.compute_in_c, timeout=0.001)
        assert isinstance(record.error(), TimeLimitExceeded)
        assert record.timeouts == [(False, 0.001)]
        record.check()


@soft
def test_a_job_whose_soft_limit_passed_unnoticed(one: BasePool) -> None:
    """It never succeeds as if nothing had been: the limit is its outcome, or was told to it."""
    record = apply(one, targets.compute_in_c, soft_timeout=0.001)
    assert isinstance(record.error(), SoftTimeLimitExceeded)
    assert record.timeouts == [(True, 0.001)]
    record.check()


@pytest.mark.parametrize("limit", LIMITS)
def test_a_job_that_computes_is_interrupted(one: BasePool, limit: str) -> None:
    """Python code that never waits nor yields; the pool was started on the main thread."""
    began = monotonic()
    record = apply(one, targets.compute, patience(), **{limit: 0.05})
    assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
    assert monotonic() - began < patience() / 2
    assert record.timeouts == [(limit == "soft_timeout", 0.05)]
    record.check()
    assert apply(one, targets.give, 5).value() == 5


@pytest.mark.needs("hard_timeout", "resize")
def test_new_slots_keep_limits(open_pool: OpenPool) -> None:
    """Those that came by ``grow``, and those of a pool that was started again."""
    pool = open_pool(1)
    pool.grow()
    with busy(pool, 1):
        assert isinstance(apply(pool, targets.spend, patience(), timeout=0.05).error(), TimeLimitExceeded)
    pool.stop()
    pool.start()
    assert isinstance(apply(pool, targets.spend, patience(), timeout=0.05).error(), TimeLimitExceeded)


# -- Shields -----------------------------------------------------------------------------------------------------------


@soft
def test_a_shield_defers_a_soft_limit(one: BasePool) -> None:
    """It is raised when the outermost block ends, and never inside; it is told once."""
    record = apply(one, looks.shielded, 3 * AMPLE, patience(), soft_timeout=AMPLE)
    assert record.value() == ["inner", "outer", "limit"]
    assert record.timeouts == [(True, AMPLE)]


@soft
def test_a_shield_that_ends_in_time_changes_nothing(one: BasePool) -> None:
    """The limit is raised where it passes, after the block."""
    record = apply(one, looks.shielded, 0.001, patience(), soft_timeout=2 * AMPLE)
    assert record.value() == ["inner", "outer", "limit"]


@hard
def test_a_shield_does_not_defer_a_hard_limit(one: BasePool) -> None:
    """The deadline stands."""
    assert isinstance(apply(one, looks.shielded_for_ever, patience(), timeout=AMPLE).error(), TimeLimitExceeded)


@soft
def test_shields_race_with_soft_limits(pool: BasePool, subject: PoolUnderTest) -> None:
    """Many critical sections about the time of the limit: it lands in none of them."""
    records = [
        apply(pool, looks.shield_again_and_again, patience(), soft_timeout=0.002) for _ in range(subject.load(200))
    ]
    for record in records:
        record.ended()
        # It may come before the job has got to where it would catch it.
        assert record.kinds[-1] == "error" or record.value() == 0, "a limit landed inside a shield"
        record.check()


def test_a_shield_outside_a_job() -> None:
    """There is nothing to defer: an error that says so."""
    with pytest.raises(PoolsError, match="does not run in a job"), shield():
        pass


# -- The next job ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_never_hits_the_next_job(pool: BasePool, subject: PoolUnderTest, limit: str) -> None:
    """Jobs that end about their limit, with jobs without limits after them in the same slots."""
    dice = random.Random(7)
    count = _few(subject, 400, 30) if limit == "timeout" else subject.load(400)
    records: list[tuple[Record, list[Record]]] = []
    for number in range(count):
        late = apply(pool, looks.near_limit, 0.003, dice.uniform(-5e-4, 2e-4), **{limit: 0.003})
        records.append((late, [apply(pool, targets.double, number + more) for more in range(2)]))
    for number, (late, others) in enumerate(records):
        late.ended()
        late.check()
        assert [other.value() for other in others] == [2 * number, 2 * number + 2], "a limit hit another job"
        finish(others)


@pytest.mark.parametrize("limit", LIMITS)
def test_the_limit_of_a_job_that_has_ended(one: BasePool, limit: str) -> None:
    """It does not hit the job that runs in its slot when it would have passed."""
    first = apply(one, targets.give, 1, **{limit: 2 * AMPLE})
    second = apply(one, targets.span, 4 * AMPLE)
    assert first.value() == 1
    began, ended = second.value()
    assert ended - began >= 4 * AMPLE
    assert (first.timeouts, second.timeouts) == ([], [])
    finish([first, second])


@soft
@hard
@pytest.mark.usefixtures("hasty")
def test_limits_never_hit_the_next_job(pool: BasePool, subject: PoolUnderTest) -> None:
    """Both limits, close to each other."""
    dice = random.Random(8)
    records: list[tuple[Record, Record]] = []
    for _ in range(_few(subject, 300, 30)):
        limits: dict[str, Any] = {"soft_timeout": 0.003, "timeout": 0.003 + dice.uniform(0.0, 3e-4)}
        late = apply(pool, looks.near_limit, 0.003, dice.uniform(-5e-4, 5e-4), **limits)
        records.append((late, apply(pool, targets.give, 5)))
    for late, other in records:
        late.ended()
        late.check()
        assert other.value() == 5
        other.check()
