"""Point 9: ``pool.map`` reads no further ahead than ``buffersize``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pools import BasePool
from pools.testing import targets
from pools.testing.history import patience
from pools.testing.records import busy
from pools.testing.waiting import eventually


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


SIZES: list[dict[str, int]] = [
    {},
    {"buffersize": 1},
    {"buffersize": 5},
    {"chunksize": 3},
    {"chunksize": 4, "buffersize": 10},
    {"chunksize": 8, "buffersize": 3},
]


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_map_reads_no_further_ahead(pool: BasePool, sizes: dict[str, int], ordered: bool) -> None:
    """What was read and not handed out is never more than ``buffersize``, by default two chunks for each slot; every
    value comes, once, and in order if that was asked for."""
    numbers = Tally(range(24))
    most = sizes.get("buffersize", 2 * pool.concurrency * sizes.get("chunksize", 1))
    values = []
    mapped = pool.map(targets.double, numbers, ordered=ordered, **sizes)
    assert numbers.read <= most, f"{numbers.read} items were read, and buffersize is {most}"
    for value in mapped:
        values.append(value)
        ahead = numbers.read - len(values)
        assert ahead <= most, f"{ahead} items were read ahead, and buffersize is {most}"
    assert (values if ordered else sorted(values)) == list(range(0, 48, 2))


def test_map_uses_its_buffer(one: BasePool) -> None:
    """So much is read ahead, too; and an endless input is never read to its end."""
    numbers = Tally(itertools.count())
    with busy(one):
        values = one.map(targets.double, numbers, buffersize=6)
        assert numbers.read == 6
        assert one.info["waiting"] == 6
    assert [next(values) for _ in range(3)] == [0, 2, 4]
    assert numbers.read <= 9
    values.close()  # type: ignore[attr-defined]
    assert one.join(patience())


@pytest.mark.parametrize("ordered", [True, False])
def test_an_error_comes_out_of_map(one: BasePool, ordered: bool) -> None:
    """What has not begun by then is cancelled, and nothing more is read."""
    numbers = Tally(range(100))
    with busy(one):
        values = one.map(targets.reject, numbers, ordered=ordered, buffersize=4)
    with pytest.raises(targets.OrderError):
        next(values)
    assert numbers.read <= 5
    assert one.join(patience())
    with pytest.raises(StopIteration):
        next(values)


def test_who_stops_asking_map(one: BasePool) -> None:
    """What has not begun is cancelled when the iterator is closed or dropped."""
    before = one.stats["jobs"]["cancelled"]
    with busy(one):
        values = one.map(targets.double, range(10), buffersize=4)
        del values
        assert eventually(lambda: one.stats["jobs"]["cancelled"] == before + 4)
    assert one.join(patience())


def test_map_of_several_iterables(one: BasePool) -> None:
    """As many calls as the shortest has items; none is an error, as for the built-in."""
    assert list(one.map(targets.add, [1, 2, 3], itertools.count(10))) == [11, 13, 15]
    assert list(one.map(targets.add, [1, 2], [])) == []
    with pytest.raises(TypeError):
        one.map(targets.add)


@pytest.mark.parametrize("size", ["buffersize", "chunksize"])
def test_a_size_without_meaning(one: BasePool, size: str) -> None:
    """A size is positive; nothing is read before that is known."""
    for value in (0, -1):
        numbers = Tally(range(3))
        sizes: dict[str, Any] = {size: value}
        with pytest.raises(ValueError, match=size):
            one.map(targets.double, numbers, **sizes)
        assert numbers.read == 0
