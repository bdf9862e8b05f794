"""How an executor opens its pool, with its initializer, and how it breaks."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import Any

import pytest

import pools
from pools import PoolExecutor
from pools.errors import (
    BrokenPoolError,
    PoolFullError,
    UnknownPoolError,
    UnsupportedError,
)
from tests.core.executors import PATIENCE, Gate, busy, on_concurrent_pools, on_every_pool, wait


@pytest.mark.parametrize("number", [0, -1])
def test_max_workers_is_a_positive_number(number: int) -> None:
    with pytest.raises(ValueError, match=r"^max_workers must be greater than 0$"):
        PoolExecutor(number, "no-such-pool")


@on_concurrent_pools
def test_max_workers_is_the_concurrency(pool: str) -> None:
    with PoolExecutor(max_workers=3, pool=pool) as executor:
        assert executor.pool.concurrency == 3
        barrier = threading.Barrier(3)
        assert sorted(executor.map(lambda _: barrier.wait(PATIENCE), range(3))) == [0, 1, 2]
    with PoolExecutor(pool=pool) as executor, pools.open(pool) as same:
        assert executor.pool.concurrency == same.concurrency


@on_every_pool
def test_the_pool_may_be_configured(pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLS_POOL", pool)
    monkeypatch.setenv("POOLS_CONCURRENCY", "1")
    with PoolExecutor() as executor:
        assert (executor.pool.name, executor.pool.concurrency) == (pool, 1)


def test_what_cannot_be_opened() -> None:
    with pytest.raises(UnknownPoolError):
        PoolExecutor(pool="no-such-pool")
    with pytest.raises(UnsupportedError, match="pool solo cannot have 2 slots"):
        PoolExecutor(2, "solo")
    with pytest.raises(UnsupportedError, match="pool solo has no option 'colour'"):
        PoolExecutor(1, "solo", colour="red")


@pytest.mark.parametrize("initializer", [7, "text"])
def test_an_initializer_can_be_called(initializer: Any) -> None:
    with pytest.raises(TypeError, match=r"^initializer must be a callable$"):
        PoolExecutor(1, "solo", initializer)


@on_concurrent_pools
def test_options_are_those_of_the_pool(pool: str) -> None:
    executor = PoolExecutor(1, pool, max_queued=0, when_full="raise")
    with busy(executor), pytest.raises(PoolFullError):
        executor.submit(abs, 1)
    executor.shutdown()


@on_every_pool
def test_the_initializer_is_called_before_the_first_call(pool: str) -> None:
    calls: list[int] = []
    with PoolExecutor(1, pool, calls.append, (7,)) as executor:
        assert executor.submit(calls.copy).result() == [7]
        assert executor.submit(calls.copy).result() == [7]


@on_every_pool
def test_an_initializer_that_raises_breaks_the_executor(pool: str) -> None:
    calls: list[str] = []

    def initializer() -> None:
        calls.append("initializer")
        raise LookupError("no database")

    with PoolExecutor(1, pool, initializer) as executor:
        errors = [broken(executor, calls) for _ in range(3)]
    assert calls == ["initializer"]
    for error in errors:
        assert isinstance(error, concurrent.futures.BrokenExecutor)
        assert isinstance(error, BrokenPoolError)
        assert str(error) == f"pool {pool} is broken: LookupError('no database')"
        assert isinstance(error.__cause__, LookupError)


def broken(executor: PoolExecutor, calls: list[str]) -> BaseException | None:
    """What a call gets from an executor that is broken, or breaks on its account."""
    try:
        return executor.submit(calls.append, "job").exception(PATIENCE)
    except concurrent.futures.BrokenExecutor as error:
        return error


@on_concurrent_pools
def test_what_waits_when_the_executor_breaks_fails(pool: str) -> None:
    gate = Gate()

    def initializer() -> None:
        gate()
        raise LookupError("no database")

    with PoolExecutor(1, pool, initializer) as executor:
        futures = [executor.submit(abs, n) for n in range(3)]
        wait(gate.begun)
        gate.open.set()
        errors = [future.exception(PATIENCE) for future in futures]
        assert [type(error.__cause__) for error in errors if error] == [LookupError] * 3
        for error in errors:
            assert isinstance(error, concurrent.futures.BrokenExecutor)
        with pytest.raises(concurrent.futures.BrokenExecutor):
            executor.submit(abs, 1)


@on_every_pool
def test_what_a_job_raises_of_another_pool_is_not_the_executors(pool: str) -> None:
    error = BrokenPoolError("another pool")

    def job() -> None:
        raise error

    with PoolExecutor(1, pool) as executor:
        assert executor.submit(job).exception() is error
        assert executor.submit(abs, -1).result() == 1
