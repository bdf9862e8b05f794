"""``pool.map``: values as the built-in ``map`` gives them, and its input read no further ahead than ``buffersize``."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pools.errors import BrokenPoolError, PoolStateError
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, apply, busy, spend, wait


def _double(number: int) -> int:
    return 2 * number


class Tally:
    """An input that counts what was read of it."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.read = 0
        self._items = iter(items)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item = next(self._items)
        self.read += 1
        return item


SIZES = [
    {},
    {"buffersize": 1},
    {"buffersize": 7},
    {"chunksize": 4},
    {"chunksize": 4, "buffersize": 10},
    {"chunksize": 10, "buffersize": 4},
    {"chunksize": 1000, "buffersize": 1000},
]


@pytest.mark.parametrize("sizes", SIZES)
def test_values_in_the_order_of_the_input(open_pool: OpenPool, several: int, sizes: dict[str, Any]) -> None:
    """Whatever ends first, and whatever the sizes are."""
    pool = open_pool(several)

    def late(number: int) -> int:
        spend(0.002 if number % 5 == 0 else 0.0)
        return 2 * number

    assert list(pool.map(late, range(50), **sizes)) == list(range(0, 100, 2))


@pytest.mark.parametrize("sizes", SIZES)
def test_values_as_they_come(open_pool: OpenPool, several: int, sizes: dict[str, Any]) -> None:
    """Each once, in any order."""
    pool = open_pool(several)
    assert sorted(pool.map(_double, range(300), ordered=False, **sizes)) == list(range(0, 600, 2))


@pytest.mark.needs("max_concurrency")
def test_the_first_to_end_comes_first(open_pool: OpenPool) -> None:
    """Unordered values wait for no value before them."""
    pool = open_pool(2)
    release = pool.new_event()

    def target(number: int) -> int:
        if number == 0:
            wait(release)
        return number

    values = pool.map(target, range(10), ordered=False, buffersize=2)
    assert [next(values) for _ in range(9)] == list(range(1, 10))
    release.set()
    assert list(values) == [0]


def test_several_iterables(open_pool: OpenPool) -> None:
    """As many calls as the shortest has items."""
    pool = open_pool()
    assert list(pool.map(operator.add, [1, 2, 3], itertools.count(10))) == [11, 13, 15]
    assert list(pool.map(operator.add, [1, 2, 3], [])) == []


def test_no_items(open_pool: OpenPool) -> None:
    """No values, and no job."""
    pool = open_pool()
    assert list(pool.map(_double, [])) == []
    assert list(pool.map(_double, [], ordered=False)) == []
    assert sum(pool.stats["jobs"].values()) == 0


def test_no_iterable(open_pool: OpenPool) -> None:
    """As for the built-in, there must be one."""
    with pytest.raises(TypeError, match="map wants at least one iterable"):
        open_pool().map(_double)


@pytest.mark.parametrize("size", ["buffersize", "chunksize"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_size_without_meaning(open_pool: OpenPool, size: str, value: int) -> None:
    """A size is positive; nothing is read before that is known."""
    numbers = Tally(range(3))
    sizes: dict[str, Any] = {size: value}
    with pytest.raises(ValueError, match=f"^{size} must be at least 1, not {value}$"):
        open_pool().map(_double, numbers, **sizes)
    assert numbers.read == 0


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("sizes", SIZES)
def test_read_ahead(open_pool: OpenPool, several: int, ordered: bool, sizes: dict[str, Any]) -> None:
    """What was read and not handed out is never more than ``buffersize``; by default two chunks for each slot."""
    pool = open_pool(several)
    numbers = Tally(range(100))
    most = sizes.get("buffersize", 2 * pool.concurrency * sizes.get("chunksize", 1))
    values = pool.map(_double, numbers, ordered=ordered, **sizes)
    assert numbers.read <= most
    handed_out = 0
    for _ in values:
        handed_out += 1
        assert numbers.read - handed_out <= most
    assert handed_out == 100


def test_the_buffer_is_used(open_pool: OpenPool) -> None:
    """So much is read ahead, too: the pool always has something to do."""
    pool = open_pool()
    numbers = Tally(itertools.count())
    with busy(pool):
        values = pool.map(_double, numbers, buffersize=8)
        assert numbers.read == 8
        assert pool.info["waiting"] == 8
    assert [next(values) for _ in range(3)] == [0, 2, 4]
    assert numbers.read == 10  # one is read when the next value is asked for
    values.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("ordered", [True, False])
def test_an_endless_input(open_pool: OpenPool, several: int, ordered: bool) -> None:
    """It is never read to its end, and what is taken of it comes in time."""
    pool = open_pool(several)
    numbers = Tally(itertools.count())
    values = itertools.islice(pool.map(_double, numbers, ordered=ordered), 1000)
    assert len(set(values)) == 1000
    assert numbers.read <= 1000 + 2 * pool.concurrency
    del values
    assert pool.join(PATIENCE)


@pytest.mark.parametrize("ordered", [True, False])
def test_an_error_comes_out(open_pool: OpenPool, ordered: bool) -> None:
    """In its turn; what has not begun by then is cancelled, and nothing more is read."""
    pool = open_pool()
    ran: list[int] = []
    numbers = Tally(range(1000))

    def target(number: int) -> int:
        ran.append(number)
        return 100 // (number - 5)

    values = pool.map(target, numbers, ordered=ordered, buffersize=3)
    assert [next(values) for _ in range(5)] == [100 // (number - 5) for number in range(5)]
    with pytest.raises(ZeroDivisionError):
        next(values)
    assert pool.join(PATIENCE)
    assert len(ran) <= numbers.read <= 8
    assert pool.stats["waiting"] == 0
    with pytest.raises(StopIteration):
        next(values)


def test_an_error_cancels_the_rest(open_pool: OpenPool) -> None:
    """Seen from the jobs: those behind the failed one that no slot has accepted are cancelled."""
    pool = open_pool()
    with busy(pool):
        values = pool.map(divmod, [1] * 6, [0] * 6, buffersize=6)
        gate = apply(pool, spend, 0.0)
    with pytest.raises(ZeroDivisionError):
        next(values)
    gate.ended()
    assert pool.join(PATIENCE)
    counts = pool.stats["jobs"]
    assert counts["failed"] >= 1
    assert counts["failed"] + counts["cancelled"] == 6


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("taken", [0, 1])
@pytest.mark.parametrize("how", ["close", "drop"])
def test_who_stops_asking(open_pool: OpenPool, ordered: bool, taken: int, how: str) -> None:
    """Closing the iterator, or dropping it, cancels what has not begun; before its first value, too."""
    pool = open_pool()
    values: Any = None
    if taken:
        values = pool.map(_double, range(100), ordered=ordered, buffersize=10)
        next(values)
        assert pool.join(PATIENCE)
    with busy(pool):
        if not taken:
            values = pool.map(_double, range(100), ordered=ordered, buffersize=10)
            assert pool.info["waiting"] == 10
        else:
            next(values)
        if how == "close":
            values.close()
        del values
        assert pool.info["waiting"] == 0
    assert pool.join(PATIENCE)
    assert pool.stats["jobs"]["failed"] == 0


def _then_fail(count: int) -> Iterator[int]:
    yield from range(count)
    raise LookupError("no more input")


@pytest.mark.parametrize("ordered", [True, False])
def test_an_input_that_fails(open_pool: OpenPool, ordered: bool) -> None:
    """Its exception comes out, from ``map`` itself if it came that early, and the rest is cancelled."""
    pool = open_pool()
    with busy(pool):
        with pytest.raises(LookupError, match="no more input"):
            pool.map(_double, _then_fail(5), ordered=ordered, buffersize=10)
        assert pool.info["waiting"] == 0
    values = pool.map(_double, _then_fail(5), ordered=ordered, buffersize=2)
    with pytest.raises(LookupError, match="no more input"):
        list(values)
    assert pool.join(PATIENCE)


def test_a_pool_that_closes(open_pool: OpenPool) -> None:
    """What was taken is handed out; then the iterator says why there is no more."""
    pool = open_pool()
    values = pool.map(_double, range(100), buffersize=2)
    pool.close()
    assert next(values) == 0
    with pytest.raises(PoolStateError, match=rf"^pool {pool.name} is closing"):
        list(values)


@pytest.mark.needs("initializer")
def test_a_pool_that_broke(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """The iterator says so instead of waiting for ever."""
    pool = open_pool(initializer=divmod, initargs=(1, 0))
    with pytest.raises(BrokenPoolError):
        list(pool.map(_double, range(100)))
    caplog.clear()


@pytest.mark.parametrize("ordered", [True, False])
def test_a_map_in_a_job(open_pool: OpenPool, traits: Traits, several: int, ordered: bool) -> None:
    """A job maps over the slots beside its own; where there can be none, that is an error and no deadlock."""
    pool = open_pool(several)

    def target() -> list[int]:
        return sorted(pool.map(_double, range(5), ordered=ordered))

    job = pool.apply_async(target)
    if traits.max_concurrency == 1:
        with pytest.raises(PoolStateError, match="begins when the code that waits for it has ended"):
            job.result(PATIENCE)
        assert pool.join(PATIENCE)
        assert job.state is JobState.FAILED
    else:
        assert job.result(PATIENCE) == [0, 2, 4, 6, 8]


def test_many_maps_at_once(open_pool: OpenPool, several: int) -> None:
    """Iterators of one pool do not mix their values up."""
    pool = open_pool(several)
    maps = [pool.map(_double, range(n, 1000, 10), ordered=n % 2 == 0) for n in range(10)]
    found = [sorted(values) for values in zip(*maps, strict=True)]
    assert sorted(itertools.chain.from_iterable(found)) == list(range(0, 2000, 2))
