"""An executor on a pool that runs already, which belongs to whoever opened it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import pools
from pools import PoolExecutor
from pools.errors import (
    PoolStateError,
    UsageError,
)
from pools.states import PoolState
from tests.core.executors import AFTER_SHUTDOWN, PATIENCE, Gate, on_concurrent_pools, on_every_pool, wait


@on_every_pool
def test_a_pool_that_was_given_stays(pool: str) -> None:
    with pools.open(pool, 1) as running:
        with PoolExecutor(pool=running) as executor:
            assert executor.pool is running
            assert executor.submit(abs, -1).result() == 1
        with pytest.raises(RuntimeError, match=AFTER_SHUTDOWN):
            executor.submit(abs, 1)
        del executor
        assert running.state is PoolState.RUNNING
        assert running.submit(abs, -1).result() == 1


@on_concurrent_pools
def test_an_executor_waits_for_its_own_jobs_and_cancels_no_others(pool: str) -> None:
    gate, other = Gate(), Gate()
    with pools.open(pool, 2) as running:
        others = [running.submit(other)]
        wait(other.begun)
        executor = PoolExecutor(pool=running)
        mine = [executor.submit(gate), executor.submit(abs, 1)]
        wait(gate.begun)
        others.append(running.submit(abs, -1))
        threading.Timer(0.02, gate.open.set).start()
        executor.shutdown(cancel_futures=True)
        assert (mine[0].done(), mine[1].cancelled()) == (True, True)
        assert not others[0].done()
        other.open.set()
        assert others[1].result(PATIENCE) == 1


@on_concurrent_pools
def test_a_job_cannot_wait_for_itself_in_a_pool_that_was_given(pool: str) -> None:
    gate = Gate()

    def job(executor: PoolExecutor) -> None:
        gate()
        executor.shutdown()

    with pools.open(pool, 1) as running:
        executor = PoolExecutor(pool=running)
        future = executor.submit(job, executor)
        gate.open.set()
        assert isinstance(future.exception(PATIENCE), PoolStateError)


@on_every_pool
@pytest.mark.parametrize("choice", [{"max_workers": 1}, {"initializer": print}, {"timeout": 5}], ids=str)
def test_a_pool_that_was_given_cannot_be_changed(pool: str, choice: dict[str, Any]) -> None:
    with pools.open(pool, 1) as running, pytest.raises(UsageError, match=f"pool {pool} runs already"):
        PoolExecutor(pool=running, **choice)


@on_every_pool
def test_a_pool_that_was_given_runs(pool: str) -> None:
    with pools.open(pool, 1) as stopped:
        executor = PoolExecutor(pool=stopped)
    with pytest.raises(PoolStateError, match=f"pool {pool} is stopped"):
        executor.submit(abs, 1)
    with pytest.raises(PoolStateError, match=f"pool {pool} is stopped: start it"):
        PoolExecutor(pool=stopped)
