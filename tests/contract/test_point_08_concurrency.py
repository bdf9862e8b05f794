"""Point 8: at most ``concurrency`` jobs run at once, and that many do; ``grow`` and ``shrink`` work while jobs run."""

from __future__ import annotations

import random
import time
from collections import deque
from typing import Any

import pytest

from pools import BasePool
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, apply, busy

resizes = pytest.mark.needs("resize")


def give(number: int) -> int:
    """A job that others can be told from."""
    time.sleep(0)
    return number


class Gauge:
    """How many jobs run at once, as their callbacks tell.

    Attributes:
        most: The most that ran at any moment when one was accepted.
    """

    def __init__(self) -> None:
        self.most = 0
        self._accepted: deque[None] = deque()
        self._ended: deque[None] = deque()

    def apply(self, pool: BasePool, number: int) -> None:
        """Give the pool a job that is counted."""
        pool.apply_async(give, (number,), accept_callback=self._on_accepted, callback=self._on_ended)

    @property
    def ended(self) -> int:
        """How many have ended."""
        return len(self._ended)

    def _on_accepted(self, slot_id: int, accepted_at: float) -> None:
        self._accepted.append(None)
        # Read in this order, it may come out too low and never too high.
        self.most = max(self.most, len(self._accepted) - len(self._ended))

    def _on_ended(self, value: int) -> None:
        self._ended.append(None)


def check_concurrency(pool: BasePool, expected: int) -> None:
    """See that so many jobs run at once, and no more."""
    assert pool.concurrency == expected
    assert pool.info["concurrency"] == expected
    with busy(pool, expected) as records:
        one_more = apply(pool, give, 1)
        assert one_more.kinds == []
        assert {entry["job"] for entry in pool.info["running"]} == {record.job.id for record in records}
        assert len({record.job.slot_id for record in records}) == expected
        assert pool.info["waiting"] == 1
    assert one_more.value() == 1
    assert pool.join(PATIENCE)


# -- Fixed -------------------------------------------------------------------------------------------------------------


def test_so_many_run_and_no_more(open_pool: OpenPool, several: int) -> None:
    """Each slot has its job, and who comes later waits; any number of times."""
    pool = open_pool(several)
    for _ in range(10):
        check_concurrency(pool, several)


@pytest.mark.needs("max_concurrency")
def test_a_pool_with_many_slots(open_pool: OpenPool) -> None:
    """As many as were asked for."""
    check_concurrency(open_pool(12), 12)


@pytest.mark.usefixtures("hasty")
def test_never_more_under_load(open_pool: OpenPool, several: int) -> None:
    """Of two thousand short jobs from two threads."""
    pool = open_pool(several)
    gauge = Gauge()

    def feed() -> None:
        for number in range(1000):
            gauge.apply(pool, number)

    for thread in [NativeThread(pool, feed) for _ in range(2)]:
        thread.join()
    assert pool.join(PATIENCE)
    assert 1 <= gauge.most <= several
    assert gauge.ended == 2000
    check_concurrency(pool, several)


@pytest.mark.usefixtures("hasty")
def test_who_waits_for_the_end_is_told(open_pool: OpenPool, several: int) -> None:
    """``join`` returns when nothing is left, whoever submits meanwhile and whichever slot was the last."""
    pool = open_pool(several)

    def feed() -> None:
        for number in range(10):
            pool.apply_async(give, (number,))

    for _ in range(100):
        threads = [NativeThread(pool, feed) for _ in range(2)]
        assert pool.join(PATIENCE)
        for thread in threads:
            thread.join()
        assert pool.join(PATIENCE)


# -- Resized -----------------------------------------------------------------------------------------------------------


@resizes
def test_a_pool_grows_while_jobs_run(open_pool: OpenPool) -> None:
    """What waits begins at once, in the new slots."""
    pool = open_pool()
    with busy(pool) as (holder,):
        waiting = [apply(pool, give, number) for number in range(5)]
        pool.grow()
        assert [record.value() for record in waiting] == list(range(5))
        assert holder.job.slot_id not in {record.job.slot_id for record in waiting}
        pool.grow(2)
        with busy(pool, 3) as others:
            assert len({record.job.slot_id for record in [holder, *others]}) == 4
    check_concurrency(pool, 4)


@resizes
def test_a_pool_shrinks_while_nothing_runs(open_pool: OpenPool) -> None:
    """The slots are gone at once."""
    pool = open_pool(5)
    check_concurrency(pool, 5)
    pool.shrink()
    check_concurrency(pool, 4)
    pool.shrink(3)
    check_concurrency(pool, 1)


@resizes
def test_a_pool_shrinks_while_jobs_run(open_pool: OpenPool) -> None:
    """It waits for no job and loses none: a slot goes when its job has ended."""
    pool = open_pool(4)
    with busy(pool) as holders:
        waiting = [apply(pool, give, number) for number in range(20)]
        pool.shrink(3)
        assert pool.concurrency == 1
        assert len(pool.info["running"]) == 4
        assert [record.kinds for record in waiting] == [[]] * 20
    assert [record.value() for record in waiting] == list(range(20))
    for record in [*holders, *waiting]:
        record.ended()
        record.check()
    assert pool.join(PATIENCE)
    check_concurrency(pool, 1)


@resizes
def test_a_pool_that_shrank_too_much_grows_again(open_pool: OpenPool) -> None:
    """Slots that were to go stay, and no job notices."""
    pool = open_pool(4)
    with busy(pool) as holders:
        pool.shrink(3)
        pool.grow(2)
        waiting = apply(pool, give, 1)
        assert waiting.kinds == []
        pool.grow(2)
        assert waiting.value() == 1
        assert len(pool.info["running"]) == 4
    for record in holders:
        record.value()
    assert pool.join(PATIENCE)
    check_concurrency(pool, 5)


@resizes
def test_callbacks_resize(open_pool: OpenPool) -> None:
    """A job's callbacks may take its own slot away."""
    pool = open_pool()
    for _ in range(20):
        record = Record(pool)
        callbacks = dict[str, Any](record.callbacks())
        accepted = callbacks["accept_callback"]

        def grow(slot_id: int, accepted_at: float, accepted: Any = accepted) -> None:
            accepted(slot_id, accepted_at)
            pool.grow(2)

        record.job = pool.apply_async(give, (7,), **{**callbacks, "accept_callback": grow})
        record.job.when_done(lambda _: pool.shrink(2))
        assert record.value() == 7
    assert pool.join(PATIENCE)
    check_concurrency(pool, 1)


@resizes
def test_the_size_outlives_a_restart(open_pool: OpenPool) -> None:
    """A pool that was resized starts again as it was, its last shrink carried out."""
    pool = open_pool()
    pool.grow(3)
    pool.restart()
    check_concurrency(pool, 4)
    with busy(pool):
        pool.shrink(2)
    pool.restart()
    check_concurrency(pool, 2)


@resizes
@pytest.mark.parametrize("call", ["grow", "shrink"])
@pytest.mark.parametrize("n", [0, -1, 1.5, "1", None])
def test_a_number_that_makes_no_sense(open_pool: OpenPool, call: str, n: Any) -> None:
    """An error that has it, and nothing has changed."""
    pool = open_pool(2)
    with pytest.raises(ValueError, match=rf"^{call} wants a positive number of slots, not {n!r}$"):
        getattr(pool, call)(n)
    check_concurrency(pool, 2)


@resizes
@pytest.mark.parametrize("n", [3, 4, 100])
def test_one_slot_must_stay(open_pool: OpenPool, n: int) -> None:
    """Also while jobs hold the others: an error with the numbers, and nothing has changed."""
    pool = open_pool(3)
    message = rf"^pool {pool.name} has 3 slots and cannot shrink by {n}: one must stay$"
    with pytest.raises(ValueError, match=message):
        pool.shrink(n)
    with busy(pool), pytest.raises(ValueError, match=message):
        pool.shrink(n)
    check_concurrency(pool, 3)


# -- Races -------------------------------------------------------------------------------------------------------------


@resizes
@pytest.mark.usefixtures("hasty")
def test_resizes_race_with_jobs(open_pool: OpenPool) -> None:
    """Two thousand jobs while two threads grow and shrink the pool: each runs once, and no slot is lost or won."""
    pool = open_pool(2)
    feeding = [True]

    def feed() -> list[Record]:
        return [apply(pool, give, number) for number in range(1000)]

    def resize(seed: int) -> None:
        dice = random.Random(seed)
        while feeding:
            n = dice.randint(1, 3)
            pool.grow(n)
            pool.shrink(n)

    feeders = [NativeThread(pool, feed) for _ in range(2)]
    resizers = [NativeThread(pool, resize, seed) for seed in range(2)]
    records = [record for thread in feeders for record in thread.join()]
    assert [record.value() for record in records] == [*range(1000)] * 2
    feeding.clear()
    for thread in resizers:
        thread.join()
    for record in records:
        record.check()
    assert pool.join(PATIENCE)
    check_concurrency(pool, 2)


@resizes
@pytest.mark.usefixtures("hasty")
def test_shrinks_race(open_pool: OpenPool) -> None:
    """However many threads shrink a pool at once, one slot stays."""
    for _ in range(300):
        pool = open_pool(4)
        threads = [NativeThread(pool, shrunk, pool) for _ in range(4)]
        assert sum(thread.join() for thread in threads) == 3
        check_concurrency(pool, 1)
        pool.stop()


def shrunk(pool: BasePool) -> bool:
    """Shrink the pool by one slot; returns whether there was one to spare."""
    try:
        pool.shrink()
    except ValueError:
        return False
    return True
