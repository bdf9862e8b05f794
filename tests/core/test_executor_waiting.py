"""Futures of an executor may be waited for as any: ``wait``, ``as_completed`` and asyncio."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, Future, as_completed
from typing import Any

import pytest

from pools import PoolExecutor
from tests.core.executors import PATIENCE, Gate, busy, fail, on_concurrent_pools, on_every_pool


@on_concurrent_pools
def test_wait_for_the_first(pool: str) -> None:
    quick, slow = Gate(), Gate()
    with PoolExecutor(2, pool) as executor:
        futures = [executor.submit(quick), executor.submit(slow)]
        threading.Timer(0.02, quick.open.set).start()
        done, not_done = concurrent.futures.wait(futures, PATIENCE, FIRST_COMPLETED)
        assert (done, not_done) == ({futures[0]}, {futures[1]})
        slow.open.set()


@on_concurrent_pools
def test_wait_for_the_first_that_fails(pool: str) -> None:
    bad, slow = Gate(), Gate()

    def job() -> None:
        bad()
        raise ValueError

    with PoolExecutor(3, pool) as executor:
        futures: list[Future[Any]] = [executor.submit(abs, 1), executor.submit(job), executor.submit(slow)]
        threading.Timer(0.02, bad.open.set).start()
        done, not_done = concurrent.futures.wait(futures, PATIENCE, FIRST_EXCEPTION)
        assert (done, not_done) == ({futures[0], futures[1]}, {futures[2]})
        slow.open.set()
        done, not_done = concurrent.futures.wait([futures[0], futures[2]], PATIENCE, FIRST_EXCEPTION)
        assert not not_done


@on_concurrent_pools
def test_wait_for_all_with_one_cancelled_meanwhile(pool: str) -> None:
    with PoolExecutor(1, pool) as executor, busy(executor) as gate:
        futures: list[Future[Any]] = [executor.submit(abs, 1), executor.submit(fail, "no"), executor.submit(abs, 2)]
        assert concurrent.futures.wait(futures, 0.01, ALL_COMPLETED).done == set()
        futures[2].add_done_callback(lambda _: gate.open.set())
        threading.Timer(0.02, futures[2].cancel).start()
        assert concurrent.futures.wait(futures, PATIENCE, ALL_COMPLETED).done == set(futures)
        assert futures[2].cancelled()


@on_every_pool
def test_as_completed_gives_each_future_once(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        futures = [executor.submit(abs, n) for n in range(20)]
        assert sorted(future.result() for future in as_completed(futures + futures)) == list(range(20))


@on_concurrent_pools
def test_as_completed_gives_futures_as_they_end(pool: str) -> None:
    gates = [Gate(), Gate()]
    with PoolExecutor(3, pool) as executor:
        futures = [executor.submit(gate) for gate in gates]
        results = as_completed(futures, PATIENCE)
        gates[1].open.set()
        assert next(results) is futures[1]
        gates[0].open.set()
        assert next(results) is futures[0]


@on_concurrent_pools
def test_as_completed_has_an_end_and_counts_the_cancelled(pool: str) -> None:
    with PoolExecutor(1, pool) as executor, busy(executor):
        waiting, cancelled = executor.submit(abs, 1), executor.submit(abs, 2)
        cancelled.cancel()
        results = as_completed([waiting, cancelled], 0.05)
        assert next(results) is cancelled
        with pytest.raises(TimeoutError):
            next(results)


@on_concurrent_pools
def test_a_future_of_asyncio(pool: str) -> None:
    async def main(executor: PoolExecutor) -> None:
        wrap = asyncio.wrap_future
        assert await wrap(executor.submit(pow, 2, 3)) == 8
        with pytest.raises(ValueError, match="no"):
            await wrap(executor.submit(fail, "no"))
        assert await asyncio.get_running_loop().run_in_executor(executor, abs, -3) == 3
        gate = Gate()
        running, waiting = executor.submit(gate), executor.submit(abs, 1)
        while not running.running():
            await asyncio.sleep(0.001)
        task = wrap(waiting)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not waiting.cancelled():
            await asyncio.sleep(0.001)
        gate.open.set()
        assert await wrap(running) is None

    with PoolExecutor(1, pool) as executor:
        asyncio.run(main(executor))
