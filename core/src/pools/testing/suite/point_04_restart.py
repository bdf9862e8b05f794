"""Point 4: ``restart``, the ``with`` statement, and ends that come from several sides at once."""

from __future__ import annotations

import random

import pytest

from pools import BasePool
from pools.errors import PoolStateError
from pools.states import PoolState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import Log
from pools.testing.native import NativeThread, sleep
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, busy, finish
from pools.testing.suite.point_04_life_cycle import ended_by
from pools.testing.waiting import pause


def test_restart_finishes_what_was_taken_and_starts_anew(
    open_pool: OpenPool, subject: PoolUnderTest, several: int
) -> None:
    """A pool that was restarted is as good as new, any number of times, and no job notices."""
    pool = open_pool(several)
    for _ in range(subject.lives(5)):
        records = [apply(pool, targets.span, 0.002) for _ in range(4 * several)]
        pool.restart()
        finish(records)
        assert [record.kinds for record in records] == [["accepted", "value"]] * (4 * several)
        assert pool.state is PoolState.RUNNING
        assert pool.concurrency == several
    with busy(pool) as holders:
        assert len(holders) == several


def _apply_while(pool: BasePool, taken: list[Record], going: list[bool]) -> None:
    """Give jobs to the pool, whenever it takes any, and not many more than it can do."""
    while going:
        try:
            taken.append(apply(pool, targets.give, len(taken)))
        except PoolStateError:
            sleep(1e-4)
        else:
            if len(taken) % 20 == 0:
                taken[-1].ended()


def test_a_restart_races_with_new_jobs(open_pool: OpenPool, subject: PoolUnderTest, several: int) -> None:
    """Each job that another thread gave to a pool that is being restarted was refused, or has its outcome."""
    pool = open_pool(several)
    taken: list[Record] = []
    going = [True]
    thread = NativeThread(pool, _apply_while, pool, taken, going)
    dice = random.Random(5)
    for _ in range(subject.lives(16)):
        pool.restart()
        pause(dice.uniform(0.0, 1e-3))
    going.clear()
    thread.join()
    finish(taken)
    assert [record.value() for record in taken] == [*range(len(taken))]


def test_with_stops(subject: PoolUnderTest) -> None:
    """At a normal end of the block, what was taken is finished; a pool that is new is started by the block."""
    log = Log()
    with subject.make() as pool:
        records = [apply(pool, targets.note, log.path) for _ in range(4)]
    assert pool.state is PoolState.STOPPED
    assert len(log.lines) == 4
    finish(records)


def test_with_terminates(open_pool: OpenPool) -> None:
    """When an exception comes out of the block; it goes on its way."""
    pool = open_pool()

    def leave() -> None:
        with pytest.raises(ZeroDivisionError), pool:
            divmod(1, 0)

    with busy(pool) as holders:
        waiting = apply(pool, targets.give, 1)
        thread = ended_by(pool, leave, [*holders, waiting])
    thread.join()
    assert pool.state is PoolState.STOPPED


@pytest.mark.parametrize("second", ["stop", "terminate", "close", "join"])
def test_two_may_end_a_pool_at_once(open_pool: OpenPool, subject: PoolUnderTest, several: int, second: str) -> None:
    """From two threads: both return, and each job has its outcome."""
    pool = open_pool(several)
    for turn in range(subject.lives(6)):
        if turn:
            pool.start()
        records = [apply(pool, targets.span, 0.002) for _ in range(several + 1)]
        thread = NativeThread(pool, getattr(pool, second))
        pool.stop()
        thread.join()
        assert pool.state is PoolState.STOPPED
        finish(records)
