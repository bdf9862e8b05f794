"""``PoolExecutor.map`` behaves as ``concurrent.futures.Executor.map``."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator, Iterator
from typing import Any, cast

import pytest

from pools import PoolExecutor
from pools.errors import PoolFullError
from tests.core.executors import AFTER_SHUTDOWN, PATIENCE, Gate, busy, on_concurrent_pools, on_every_pool, wait

on_sizes = pytest.mark.parametrize(
    "sizes", [{}, {"chunksize": 3}, {"buffersize": 1}, {"chunksize": 3, "buffersize": 2}], ids=str
)


def jobs_of(executor: PoolExecutor) -> dict[str, int]:
    """How many jobs of the executor's pool had which outcome."""
    return cast("dict[str, int]", executor.pool.stats["jobs"])


@on_every_pool
@on_sizes
def test_values_come_in_the_order_of_the_input(pool: str, sizes: dict[str, int]) -> None:
    with PoolExecutor(1, pool) as executor:
        assert list(executor.map(pow, range(10), itertools.repeat(2), **sizes)) == [n * n for n in range(10)]
        assert list(executor.map(abs, [], **sizes)) == []
        assert list(executor.map(max, [1, 5, 9], [4, 4], **sizes)) == [4, 5]
        assert list(executor.map(abs, **sizes)) == []


@on_concurrent_pools
def test_values_come_in_order_although_calls_end_in_any(pool: str) -> None:
    gates = [Gate(), Gate()]

    def job(number: int) -> int:
        gates[number]()
        return number

    with PoolExecutor(2, pool) as executor:
        results = executor.map(job, [0, 1])
        gates[1].open.set()
        wait(gates[0].begun)
        gates[0].open.set()
        assert list(results) == [0, 1]


@on_every_pool
@on_sizes
def test_an_exception_is_raised_when_its_turn_has_come(pool: str, sizes: dict[str, int]) -> None:
    with PoolExecutor(1, pool) as executor:
        results = executor.map(lambda n: 6 // n, [1, 2, 3, 0, 6], **sizes)
        assert list(itertools.islice(results, 3)) == [6, 3, 2]
        with pytest.raises(ZeroDivisionError):
            next(results)
        assert list(results) == []


@on_concurrent_pools
def test_what_has_not_begun_is_cancelled_when_a_call_fails(pool: str) -> None:
    gate = Gate()
    calls: list[int] = []

    def job(number: int) -> None:
        if number == 0:
            raise ValueError("the first")
        calls.append(number)
        gate()

    with PoolExecutor(1, pool) as executor:
        results = executor.map(job, range(5))
        wait(gate.begun)
        with pytest.raises(ValueError, match="the first"):
            next(results)
        gate.open.set()
    assert calls == [1]
    assert jobs_of(executor)["cancelled"] == 3


@on_concurrent_pools
@pytest.mark.parametrize("chunksize", [1, 2])
def test_what_has_not_begun_is_cancelled_when_the_iterator_is_closed(pool: str, chunksize: int) -> None:
    gate = Gate()

    def job(number: int) -> int:
        return number if number < chunksize else cast(int, gate(number))

    with PoolExecutor(1, pool) as executor:
        results = cast("Generator[int]", executor.map(job, range(4 * chunksize), chunksize=chunksize))
        assert next(results) == 0
        wait(gate.begun)
        results.close()
        gate.open.set()
    assert jobs_of(executor)["cancelled"] == 2


@on_every_pool
def test_the_input_is_read_to_its_end_at_once(pool: str) -> None:
    numbers = iter(range(5))
    with PoolExecutor(1, pool) as executor:
        results = executor.map(abs, numbers)
        assert next(numbers, "nothing") == "nothing"
        assert list(results) == list(range(5))


@on_every_pool
@pytest.mark.parametrize(("chunksize", "buffersize"), [(1, 1), (1, 3), (2, 1), (2, 3)])
def test_the_input_is_read_no_further_than_buffersize(pool: str, chunksize: int, buffersize: int) -> None:
    numbers = itertools.count()
    with PoolExecutor(1, pool) as executor:
        results = executor.map(abs, numbers, chunksize=chunksize, buffersize=buffersize)
        read = buffersize * chunksize
        assert next(numbers) == read
        for expected in range(chunksize):
            assert next(results) == expected
        assert next(numbers) == read + 1 + chunksize


@on_concurrent_pools
def test_the_timeout_counts_from_the_call(pool: str) -> None:
    gate = Gate()
    with PoolExecutor(1, pool) as executor:
        results = executor.map(lambda job: job(), [str, gate, str], timeout=0.5)
        assert next(results) == ""
        wait(gate.begun)
        time.sleep(0.5)
        asked_at = time.monotonic()
        with pytest.raises(TimeoutError):
            next(results)
        assert time.monotonic() - asked_at < 0.5
        gate.open.set()
    assert jobs_of(executor)["cancelled"] == 1


@on_every_pool
def test_values_that_are_there_are_given_after_the_timeout(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        results = executor.map(abs, [1, 2], timeout=PATIENCE)
        assert list(results) == [1, 2]
        results = executor.map(abs, [1, 2], timeout=0)
        executor.submit(abs, 3).result()
        assert list(results) == [1, 2]


@on_every_pool
def test_a_chunk_is_one_job(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        assert list(executor.map(abs, range(10), chunksize=4)) == list(range(10))
    assert jobs_of(executor)["succeeded"] == 3


@on_every_pool
@pytest.mark.parametrize(
    ("sizes", "kind", "message"),
    [
        ({"chunksize": 0}, ValueError, "chunksize must be >= 1."),
        ({"chunksize": -1}, ValueError, "chunksize must be >= 1."),
        ({"buffersize": 0}, ValueError, "buffersize must be None or > 0"),
        ({"buffersize": -1}, ValueError, "buffersize must be None or > 0"),
        ({"buffersize": "x"}, TypeError, "buffersize must be an integer or None"),
    ],
    ids=str,
)
def test_a_size_that_is_none(pool: str, sizes: dict[str, Any], kind: type[Exception], message: str) -> None:
    with PoolExecutor(1, pool) as executor:
        with pytest.raises(kind) as raised:
            executor.map(abs, [1], **sizes)
        assert str(raised.value) == message
    assert jobs_of(executor)["succeeded"] == 0


@on_every_pool
def test_what_the_input_raises(pool: str) -> None:
    def numbers() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("of the input")

    with PoolExecutor(1, pool) as executor:
        with pytest.raises(LookupError, match="of the input"):
            executor.map(abs, numbers())
        results = executor.map(abs, numbers(), buffersize=1)
        assert next(results) == 1
        with pytest.raises(LookupError, match="of the input"):
            next(results)


@on_concurrent_pools
def test_a_pool_that_is_full_takes_nothing_of_the_input(pool: str) -> None:
    with PoolExecutor(1, pool, max_queued=2, when_full="raise") as executor, busy(executor):
        with pytest.raises(PoolFullError):
            executor.map(abs, range(5))
        assert jobs_of(executor)["cancelled"] == 2


@on_every_pool
def test_a_map_needs_its_executor(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    results = executor.map(abs, range(4), buffersize=1)
    del executor
    assert list(results) == list(range(4))
    with PoolExecutor(1, pool) as executor:
        results = executor.map(abs, range(4), buffersize=1)
    with pytest.raises(RuntimeError, match=AFTER_SHUTDOWN):
        list(results)
