"""Point 9: with ``putlocks`` a pool takes a job for each free slot; ``max_queued`` bounds what waits.

That ``pool.map`` reads its input no further ahead than ``buffersize`` is in ``test_map.py``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from pools import BasePool, Job
from pools.errors import Cancelled, PoolFullError, PoolStateError, Terminated, TimeLimitExceeded
from pools.spec import Traits
from pools.states import PoolState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, apply, busy, spend

#: The options of a pool that takes no more than it has slots for; the two say the same.
NOTHING_WAITS = [{"putlocks": True}, {"max_queued": 0}, {"putlocks": True, "max_queued": 5}]


def _noop() -> None:
    pass


class Submission:
    """An ``apply_async`` on a thread of its own, which is expected to wait.

    Attributes:
        log: What happened, in order: ``"returned"`` among it when ``apply_async`` did.
    """

    def __init__(self, pool: BasePool, log: list[str]) -> None:
        self.log = log
        self._pool = pool
        self._begins = pool.new_event()
        self._thread = NativeThread(pool, self._submit)
        assert self._begins.wait(PATIENCE)
        # It is right that it waits, however long this is; one that does not gets the time to show it.
        spend(0.01)

    def join(self) -> Job:
        """Wait for ``apply_async``; returns its job or raises what it raised."""
        return self._thread.join()

    def _submit(self) -> Job:
        self._begins.set()
        job = self._pool.apply_async(_noop)
        self.log.append("returned")
        return job


@pytest.mark.parametrize("options", NOTHING_WAITS)
def test_putlocks_wait_for_a_free_slot(open_pool: OpenPool, options: dict[str, Any]) -> None:
    """``apply_async`` returns when a slot has become free, and not before."""
    pool = open_pool(**options)
    log: list[str] = []
    with busy(pool):
        submission = Submission(pool, log)
        log.append("slot free")
    submission.join().result(PATIENCE)
    assert log == ["slot free", "returned"]


@pytest.mark.parametrize("options", NOTHING_WAITS)
def test_putlocks_take_a_job_for_each_slot(open_pool: OpenPool, several: int, options: dict[str, Any]) -> None:
    """Nothing waits while a slot is free."""
    pool = open_pool(several, **options)
    for _ in range(3):
        with busy(pool) as records:
            assert len(records) == several
        for record in records:
            record.ended()


def test_so_many_may_wait(open_pool: OpenPool) -> None:
    """With ``max_queued=2`` two jobs wait, and the third ``apply_async`` blocks until one of them has begun."""
    pool = open_pool(max_queued=2)
    log: list[str] = []
    with busy(pool):
        waiting = [apply(pool, _noop) for _ in range(2)]
        assert pool.info["waiting"] == 2
        submission = Submission(pool, log)
        log.append("slot free")
    submission.join().result(PATIENCE)
    assert log == ["slot free", "returned"]
    for record in waiting:
        record.value()


def test_a_full_pool_refuses(open_pool: OpenPool) -> None:
    """With ``when_full="raise"`` the error names the pool, its numbers and the option."""
    pool = open_pool(max_queued=2, when_full="raise")
    with busy(pool):
        waiting = [apply(pool, _noop) for _ in range(2)]
        with pytest.raises(PoolFullError) as raised:
            pool.apply_async(_noop)
    assert str(raised.value) == (f"pool {pool.name} is full: 1 jobs may run and 2 wait, and when_full is 'raise'")
    for record in waiting:
        record.value()
    assert apply(pool, divmod, 7, 2).value() == (3, 1)


def test_a_refused_job_never_was(open_pool: OpenPool) -> None:
    """``PoolFullError`` comes instead of a job: no callback, no count."""
    pool = open_pool(putlocks=True, when_full="raise")
    called: list[object] = []
    with busy(pool), pytest.raises(PoolFullError):
        pool.apply_async(called.append, (1,), callback=called.append, error_callback=called.append)
    assert pool.join(PATIENCE)
    assert called == []
    assert sum(pool.stats["jobs"].values()) == 1


@pytest.mark.parametrize("max_queued", [0, 1, 7])
def test_the_bound_is_exact_when_many_refuse(open_pool: OpenPool, max_queued: int) -> None:
    """However many threads submit at once, exactly as many are taken as may wait; a hundred times."""
    pool = open_pool(max_queued=max_queued, when_full="raise")

    def submit() -> int:
        taken = 0
        for _ in range(max_queued + 3):
            try:
                pool.apply_async(_noop)
                taken += 1
            except PoolFullError:
                pass
        return taken

    for _ in range(100):
        with busy(pool):
            threads = [NativeThread(pool, submit) for _ in range(4)]
            assert sum(thread.join() for thread in threads) == max_queued
        assert pool.join(PATIENCE)


def test_the_bound_is_exact_when_many_block(open_pool: OpenPool, several: int) -> None:
    """Of two thousand jobs from four threads, no more than ``concurrency + max_queued`` are ever unfinished."""
    pool = open_pool(several, max_queued=2)
    taken: deque[int] = deque()
    ended: deque[int] = deque()

    def target(number: int) -> None:
        if number % 7 == 0:
            spend(0.0)
        ended.append(number)

    def submit() -> int:
        worst = 0
        for number in range(500):
            pool.apply_async(target, (number,))
            taken.append(number)
            # Read in this order, it may come out too low and never too high.
            worst = max(worst, len(taken) - len(ended))
        return worst

    threads = [NativeThread(pool, submit) for _ in range(4)]
    assert max(thread.join() for thread in threads) <= several + 2
    assert pool.join(PATIENCE)
    assert len(ended) == 2000
    assert pool.stats["jobs"]["succeeded"] == 2000


@pytest.mark.parametrize("end", ["close", "stop", "terminate"])
def test_who_waits_is_told_that_the_pool_closes(open_pool: OpenPool, end: str) -> None:
    """An ``apply_async`` that is blocked on a full pool raises ``PoolStateError`` when the pool closes."""
    for _ in range(10):
        pool = open_pool(putlocks=True)
        ending: Callable[[], None] = getattr(pool, end)
        with busy(pool):
            blocked = [Submission(pool, []) for _ in range(3)]
            closer = Thread(target=ending)
            closer.start()
            for submission in blocked:
                with pytest.raises(
                    PoolStateError, match=rf"^pool {pool.name} is (closing|stopped), which forbids apply"
                ):
                    submission.join()
        closer.join(PATIENCE)
        pool.stop()
        assert pool.state is PoolState.STOPPED


def test_a_place_comes_back_whatever_the_outcome(open_pool: OpenPool, traits: Traits) -> None:
    """Jobs that fail, are cancelled, terminated or timed out make room like those that succeed."""
    pool = open_pool(max_queued=1, when_full="raise")
    for _ in range(20):
        with pytest.raises(ZeroDivisionError):
            pool.apply_async(divmod, (1, 0)).result(PATIENCE)
        with busy(pool):
            waiting = pool.apply_async(_noop)
            assert waiting.cancel()
            with pytest.raises(Cancelled):
                waiting.result(PATIENCE)
            waiting = pool.apply_async(_noop)
            assert waiting.terminate()
            with pytest.raises(Terminated):
                waiting.result(PATIENCE)
            assert pool.apply_async(_noop).cancel()
        assert pool.join(PATIENCE)
    if traits.hard_timeout:
        for _ in range(3):
            with pytest.raises(TimeLimitExceeded):
                pool.apply_async(spend, (PATIENCE,), timeout=0.02).result(PATIENCE)
            assert pool.join(PATIENCE)


@pytest.mark.needs("resize")
def test_places_come_and_go_with_the_slots(open_pool: OpenPool) -> None:
    """``grow`` makes room for as many more jobs as slots, and who waits gets it; ``shrink`` takes it back."""
    pool = open_pool(1, putlocks=True)
    with busy(pool):
        submission = Submission(pool, [])
        pool.grow()
        submission.join().result(PATIENCE)
    assert pool.join(PATIENCE)
    pool.shrink()
    log: list[str] = []
    with busy(pool):
        submission = Submission(pool, log)
        log.append("slot free")
    submission.join().result(PATIENCE)
    assert log == ["slot free", "returned"]


def test_a_job_that_can_never_get_a_place_is_told_so(open_pool: OpenPool, traits: Traits) -> None:
    """Where a job's own slot is the only one there can be, submitting to the full pool is an error, not a deadlock."""
    if traits.max_concurrency != 1:
        pytest.skip("another slot of this pool may become free")
    pool = open_pool(putlocks=True)
    with pytest.raises(PoolStateError, match="begins when the code that waits for it has ended"):
        pool.apply_async(pool.apply_async, (_noop,)).result(PATIENCE)
    assert pool.apply_async(divmod, (7, 2)).result(PATIENCE) == (3, 1)
