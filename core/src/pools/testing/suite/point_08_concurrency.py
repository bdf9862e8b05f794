"""Point 8: at most ``concurrency`` jobs run at once, and that many do; ``grow`` and ``shrink`` work while jobs run."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pools import BasePool
from pools.errors import UnsupportedError
from pools.spec import Traits
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import new_path
from pools.testing.history import note, patience
from pools.testing.native import NativeThread, sleep
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, busy, finish, launch
from pools.testing.waiting import pause

resizes = pytest.mark.needs("resize")


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """How many of these jobs ran at the same time, at the most, by their own account."""
    steps = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    running = most = 0
    for _, step in steps:
        running += step
        most = max(most, running)
    return most


def check_concurrency(pool: BasePool, expected: int) -> None:
    """See that so many jobs run at once, and no more."""
    assert pool.concurrency == expected
    with busy(pool, expected) as records:
        one_more = apply(pool, targets.give, 1)
        assert len({record.accepted()[0] for record in records}) == expected
        pause(0.01)
        assert one_more.kinds == [], f"more than {expected} jobs run at once"
    assert one_more.value() == 1
    finish([*records, one_more])
    assert pool.join(patience())


# -- Fixed -------------------------------------------------------------------------------------------------------------


def test_so_many_run_and_no_more(pool: BasePool, subject: PoolUnderTest, several: int) -> None:
    """Each slot has its job, and who comes later waits; any number of times."""
    for _ in range(subject.rounds(4)):
        check_concurrency(pool, several)


@pytest.mark.needs("max_concurrency")
def test_a_pool_with_more_slots(open_pool: OpenPool, traits: Traits) -> None:
    """As many as were asked for."""
    size = min(7, traits.max_concurrency or 7)
    check_concurrency(open_pool(size), size)


def test_one_slot(one: BasePool) -> None:
    """Jobs run one after another."""
    check_concurrency(one, 1)
    records = [apply(one, targets.span, 0.002) for _ in range(10)]
    assert most_at_once([record.value() for record in records]) == 1


@pytest.mark.needs("max_concurrency")
def test_jobs_run_at_the_same_time(pool: BasePool) -> None:
    """They can wait for each other, by their own account."""
    paths = [new_path("here"), new_path("here")]
    records = [apply(pool, targets.meet, *pair, patience()) for pair in (paths, paths[::-1])]
    assert [record.value() for record in records] == [True, True], "two jobs have not run at the same time"


@pytest.mark.usefixtures("hasty")
def test_never_more_under_load(pool: BasePool, subject: PoolUnderTest, several: int) -> None:
    """By the jobs' own account, of as many as there is time for, from two threads."""
    count = subject.load(600)

    def feed() -> list[Record]:
        return [apply(pool, targets.span, 0.0005 * (number % 3)) for number in range(count // 2)]

    records = [record for thread in [NativeThread(pool, feed) for _ in range(2)] for record in thread.join()]
    spans = [record.value() for record in records]
    assert most_at_once(spans) <= several, f"{most_at_once(spans)} jobs ran at once in {several} slots"
    finish(records)
    check_concurrency(pool, several)


@pytest.mark.usefixtures("hasty")
def test_who_waits_for_the_end_is_told(pool: BasePool, subject: PoolUnderTest) -> None:
    """``join`` returns when nothing is left, whoever submits meanwhile and whichever slot was the last."""

    def feed() -> None:
        for number in range(6):
            pool.apply_async(targets.give, (number,))

    for _ in range(subject.load(200) // 6):
        threads = [NativeThread(pool, feed) for _ in range(2)]
        assert pool.join(patience())
        for thread in threads:
            thread.join()
        assert pool.join(patience())


def test_more_slots_than_the_pool_can_have(subject: PoolUnderTest, traits: Traits) -> None:
    """They are refused, naming pool and trait; so is growing beyond them."""
    most = traits.max_concurrency
    if most is None:
        return  # it can have any number
    with pytest.raises(UnsupportedError, match=rf"{subject.pool_name}.*{most}"):
        subject.open(most + 1)
    if traits.resize:
        with subject.open(most) as pool, pytest.raises(UnsupportedError, match=rf"{subject.pool_name}.*{most}"):
            pool.grow()


# -- Resized -----------------------------------------------------------------------------------------------------------


@resizes
def test_a_pool_grows_while_jobs_run(open_pool: OpenPool) -> None:
    """What waits begins at once, in the new slots."""
    pool = open_pool()
    with busy(pool) as (holder,):
        waiting = [apply(pool, targets.double, number) for number in range(3)]
        note("grow()")
        pool.grow()
        assert pool.concurrency == 2
        assert [record.value() for record in waiting] == [0, 2, 4]
        assert holder.job.slot_id not in {record.job.slot_id for record in waiting}
        note("grow(2)")
        pool.grow(2)
        with busy(pool, 3) as others:
            assert len({record.job.slot_id for record in [holder, *others]}) == 4
    check_concurrency(pool, 4)


@resizes
def test_a_pool_shrinks_while_nothing_runs(open_pool: OpenPool) -> None:
    """The slots are gone at once."""
    pool = open_pool(4)
    check_concurrency(pool, 4)
    note("shrink()")
    pool.shrink()
    check_concurrency(pool, 3)
    note("shrink(2)")
    pool.shrink(2)
    check_concurrency(pool, 1)


@resizes
def test_a_pool_shrinks_while_jobs_run(open_pool: OpenPool) -> None:
    """It waits for no job and loses none: a slot goes when its job has ended."""
    pool = open_pool(4)
    with busy(pool) as holders:
        waiting = [apply(pool, targets.span, 0.002) for _ in range(8)]
        note("shrink(3)")
        thread = NativeThread(pool, pool.shrink, 3)
        thread.join()
        assert pool.concurrency == 1
        pause(0.02)
        assert [record.kinds for record in holders] == [["accepted"]] * 4, "a job did not survive a shrink"
        assert len(pool.info["running"]) == 4
        assert [record.kinds for record in waiting] == [[]] * 8
    spans = [record.value() for record in waiting]
    assert most_at_once(spans) == 1, "a pool that shrank to one slot ran more than one job"
    finish([*holders, *waiting])
    assert pool.join(patience())
    check_concurrency(pool, 1)


@resizes
def test_a_pool_that_shrank_too_much_grows_again(open_pool: OpenPool) -> None:
    """Slots that were to go stay, and no job notices."""
    pool = open_pool(3)
    with busy(pool) as holders:
        pool.shrink(2)
        pool.grow(1)
        waiting = apply(pool, targets.give, 1)
        pause(0.02)
        assert waiting.kinds == []
        pool.grow(2)
        assert waiting.value() == 1
        assert len(pool.info["running"]) == 3
    finish(holders)
    assert pool.join(patience())
    check_concurrency(pool, 4)


@resizes
def test_the_size_outlives_a_restart(open_pool: OpenPool) -> None:
    """A pool that was resized starts again as it was."""
    pool = open_pool()
    pool.grow(2)
    pool.restart()
    check_concurrency(pool, 3)
    with busy(pool):
        pool.shrink(2)
    pool.stop()
    pool.start()
    check_concurrency(pool, 1)


@resizes
@pytest.mark.parametrize("call", ["grow", "shrink"])
@pytest.mark.parametrize("n", [0, -1, 1.5, "1", None])
def test_a_number_that_makes_no_sense(pool: BasePool, several: int, call: str, n: Any) -> None:
    """An error that has it, and nothing has changed."""
    with pytest.raises(ValueError, match=f"{call}.*{n!r}"):
        getattr(pool, call)(n)
    assert pool.concurrency == several


@resizes
def test_one_slot_must_stay(pool: BasePool, several: int) -> None:
    """Also while jobs hold the others: an error with the numbers, and nothing has changed."""
    for n in (several, several + 1, 100):
        with pytest.raises(ValueError, match=f"{several} slots"):
            pool.shrink(n)
        with busy(pool), pytest.raises(ValueError, match=f"{several} slots"):
            pool.shrink(n)
    check_concurrency(pool, several)


@resizes
@pytest.mark.usefixtures("hasty")
def test_resizes_race_with_jobs(open_pool: OpenPool, subject: PoolUnderTest) -> None:
    """Jobs from two threads while two others grow and shrink the pool: each runs once, and no slot is lost or won."""
    pool = open_pool(2)
    count = subject.load(600) // 2
    # Where a slot is a process, each is started and ended.
    turns = subject.rounds(80) if subject.here else 3

    def feed() -> list[Record]:
        return [apply(pool, targets.double, number) for number in range(count)]

    def resize(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(turns):
            n = dice.randint(1, 2)
            pool.grow(n)
            pool.shrink(n)
            sleep(0.001)

    feeders = [NativeThread(pool, feed) for _ in range(2)]
    resizers = [NativeThread(pool, resize, seed) for seed in range(2)]
    records = [record for thread in feeders for record in thread.join()]
    assert [record.value() for record in records] == [*range(0, 2 * count, 2)] * 2
    for thread in resizers:
        thread.join()
    finish(records)
    assert pool.join(patience())
    check_concurrency(pool, 2)


# -- What is not promised ----------------------------------------------------------------------------------------------


@pytest.mark.lacks("resize")
@pytest.mark.parametrize("call", ["grow", "shrink"])
def test_a_resize_that_is_not_promised(one: BasePool, call: str) -> None:
    """It is refused at once, naming pool and trait, whatever runs."""
    for _ in range(2):
        with pytest.raises(UnsupportedError, match=rf"{one.name}.*trait resize"):
            getattr(one, call)()
        record = launch(one, targets.give, 1)
        assert record.value() == 1
    check_concurrency(one, 1)
