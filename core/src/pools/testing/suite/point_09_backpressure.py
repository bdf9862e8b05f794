"""Point 9: ``max_queued`` bounds what waits, and ``putlocks`` takes a job for each free slot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from pools import BasePool, Job
from pools.errors import Cancelled, PoolFullError, PoolStateError, Terminated, TimeLimitExceeded
from pools.spec import Traits
from pools.states import PoolState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import note, patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish, launch
from pools.testing.waiting import pause, wait

#: The options of a pool that takes no more than it has slots for; they say the same.
NOTHING_WAITS = [{"putlocks": True}, {"max_queued": 0}, {"putlocks": True, "max_queued": 5}]


class Submission:
    """An ``apply_async`` on a thread of its own, which is expected to wait.

    Attributes:
        log: What happened, in order: ``"returned"`` among it when ``apply_async`` did.
    """

    def __init__(self, pool: BasePool, log: list[str]) -> None:
        self.log = log
        self._pool = pool
        begins = pool.new_event()
        self._begins = begins
        self._thread = NativeThread(pool, self._submit)
        wait(begins)
        # It is right that it waits, however long this is; one that does not gets the time to show it.
        pause(0.02)

    def join(self) -> Job:
        """Wait for ``apply_async``; returns its job or raises what it raised."""
        return self._thread.join()

    def _submit(self) -> Job:
        self._begins.set()
        job = self._pool.apply_async(targets.give, (1,))
        self.log.append("returned")
        note("apply_async returned")
        return job


@pytest.mark.parametrize("options", NOTHING_WAITS, ids=str)
def test_putlocks_wait_for_a_free_slot(open_pool: OpenPool, options: dict[str, Any]) -> None:
    """``apply_async`` returns when a slot has become free, and not before; nothing waits while one is free."""
    pool = open_pool(**options)
    for _ in range(2):
        log: list[str] = []
        with busy(pool):
            submission = Submission(pool, log)
            assert pool.info["waiting"] == 0
            log.append("slot free")
        assert submission.join().result(patience()) == 1
        assert log == ["slot free", "returned"], "apply_async did not wait for a free slot"
        assert pool.join(patience())


def test_so_many_may_wait(open_pool: OpenPool) -> None:
    """With ``max_queued=2`` two jobs wait, and the third ``apply_async`` blocks until one of them has begun."""
    pool = open_pool(max_queued=2)
    log: list[str] = []
    with busy(pool):
        waiting = [apply(pool, targets.give, number) for number in range(2)]
        assert pool.info["waiting"] == 2
        submission = Submission(pool, log)
        assert pool.info["waiting"] == 2
        log.append("slot free")
    submission.join().result(patience())
    assert log == ["slot free", "returned"], "more jobs were taken than may wait"
    finish(waiting)


@pytest.mark.parametrize("max_queued", [0, 2])
def test_a_full_pool_refuses(open_pool: OpenPool, max_queued: int) -> None:
    """With ``when_full="raise"``: an error that names the pool, and no job; when there is room it takes jobs again."""
    pool = open_pool(max_queued=max_queued, when_full="raise")
    called: list[object] = []
    with busy(pool):
        waiting = [apply(pool, targets.give, number) for number in range(max_queued)]
        for _ in range(2):
            with pytest.raises(PoolFullError, match=pool.name):
                pool.apply_async(targets.give, (1,), callback=called.append, error_callback=called.append)
    finish(waiting)
    assert pool.join(patience())
    assert called == []
    assert sum(pool.stats["jobs"].values()) == max_queued + 1
    assert apply(pool, targets.double, 4).value() == 8


def test_a_pool_without_bound(one: BasePool, subject: PoolUnderTest) -> None:
    """Any number may wait, and ``apply_async`` does not."""
    count = subject.load(200)
    with busy(one):
        records = [apply(one, targets.double, number) for number in range(count)]
        assert one.info["waiting"] == count
    finish(records)


@pytest.mark.usefixtures("hasty")
def test_the_bound_is_exact_when_many_refuse(open_pool: OpenPool, subject: PoolUnderTest) -> None:
    """However many threads submit at once, exactly as many are taken as may wait."""
    pool = open_pool(max_queued=3, when_full="raise")

    def submit() -> int:
        taken = 0
        for _ in range(5):
            try:
                pool.apply_async(targets.give, (1,))
                taken += 1
            except PoolFullError:
                pass
        return taken

    for _ in range(subject.rounds(10)):
        with busy(pool):
            threads = [NativeThread(pool, submit) for _ in range(4)]
            assert sum(thread.join() for thread in threads) == 3
        assert pool.join(patience())


def test_the_bound_is_exact_when_many_block(open_pool: OpenPool, subject: PoolUnderTest, several: int) -> None:
    """Of the jobs of several threads, no more than ``concurrency + max_queued`` are ever unfinished."""
    pool = open_pool(several, max_queued=2)
    count = subject.load(600) // 3
    taken: deque[int] = deque()
    ended: deque[int] = deque()

    def submit() -> int:
        worst = 0
        for number in range(count):
            # The end is told after the place was given back: one more for each slot may look unfinished.
            pool.apply_async(targets.give, (number,), callback=ended.append)
            taken.append(number)
            worst = max(worst, len(taken) - len(ended))
        return worst

    threads = [NativeThread(pool, submit) for _ in range(3)]
    assert max(thread.join() for thread in threads) <= 2 * several + 2 + len(threads)
    assert pool.join(patience())
    assert len(ended) == 3 * count


@pytest.mark.parametrize("end", ["close", "stop", "terminate"])
def test_who_waits_is_told_that_the_pool_closes(open_pool: OpenPool, end: str) -> None:
    """An ``apply_async`` that is blocked on a full pool raises ``PoolStateError`` when the pool closes."""
    pool = open_pool(putlocks=True)
    ending: Callable[[], None] = getattr(pool, end)
    with busy(pool):
        blocked = [Submission(pool, []) for _ in range(2)]
        closer = NativeThread(pool, ending)
        for submission in blocked:
            with pytest.raises(PoolStateError, match=rf"{pool.name}.*(closing|stopped)"):
                submission.join()
    closer.join()
    pool.stop()
    assert pool.state is PoolState.STOPPED


def test_a_place_comes_back_whatever_the_outcome(open_pool: OpenPool, subject: PoolUnderTest, traits: Traits) -> None:
    """Jobs that fail, are cancelled, terminated or timed out make room like those that succeed, and no more."""
    pool = open_pool(max_queued=1, when_full="raise")
    for _ in range(subject.rounds(3)):
        assert isinstance(pool.apply_async(divmod, (1, 0)).exception(patience()), ZeroDivisionError)
        assert pool.join(patience())
        with busy(pool):
            waiting = pool.apply_async(targets.give, (1,))
            assert waiting.cancel()
            assert isinstance(waiting.exception(patience()), Cancelled)
            waiting = pool.apply_async(targets.give, (1,))
            assert waiting.terminate()
            assert isinstance(waiting.exception(patience()), Terminated)
            waiting = pool.apply_async(targets.give, (1,))
            with pytest.raises(PoolFullError):
                pool.apply_async(targets.give, (1,))
        assert pool.join(patience())
        if traits.hard_timeout:
            job = pool.apply_async(targets.spend, (patience(),), timeout=0.02)
            assert isinstance(job.exception(patience()), TimeLimitExceeded)
            assert pool.join(patience())
        if traits.terminate:
            record = launch(pool, targets.spend, patience())
            record.accepted()
            assert record.job.terminate()
            record.ended()
            assert pool.join(patience())


@pytest.mark.needs("resize")
def test_places_come_and_go_with_the_slots(open_pool: OpenPool) -> None:
    """``grow`` makes room for as many more jobs as slots, and who waits gets it; ``shrink`` takes it back."""
    pool = open_pool(1, putlocks=True)
    with busy(pool):
        submission = Submission(pool, [])
        note("grow()")
        pool.grow()
        submission.join().result(patience())
    assert pool.join(patience())
    note("shrink()")
    pool.shrink()
    log: list[str] = []
    with busy(pool):
        submission = Submission(pool, log)
        log.append("slot free")
    submission.join().result(patience())
    assert log == ["slot free", "returned"]
