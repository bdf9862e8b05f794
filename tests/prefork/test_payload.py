"""Payloads come out as they went in; the large ones through shared memory, which is used again and given back."""

from __future__ import annotations

import gc
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pools_prefork import payload
from pools_prefork.arena import CHILD, HOST, Arena, Reader, new_memory
from pools_prefork.messages import Flag
from pools_prefork.payload import LARGE
from tests.prefork.conftest import OpenPool
from tests.prefork.hosts import PATIENCE
from tests.prefork.mappings import memory_maps
from tests.prefork.targets import spend

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


class Wire:
    """An arena, and its reader at the other end of the wire."""

    def __init__(self, at_once: int = 1 << 40) -> None:
        self.memory = new_memory()
        self.arena = Arena(self.memory, HOST, at_once)
        self.freed: list[int] = []
        self.reader = Reader(self.memory, self._free)

    def _free(self, offset: int) -> None:
        self.freed.append(offset)
        self.arena.free(offset)

    def send(self, value: Any) -> Any:
        return payload.load(*payload.dump(value, self.arena), self.reader)

    def offset_of(self, value: Any) -> int:
        """Send a value; returns the offset of its region."""
        flags, body = payload.dump(value, self.arena)
        assert flags == Flag.IN_MEMORY
        payload.load(flags, body, self.reader)
        return payload.region_of(body)

    def close(self) -> None:
        self.arena.close()
        self.reader.close()
        os.close(self.memory)


def descriptors_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def wire() -> Iterator[Wire]:
    mapped, opened = memory_maps(), descriptors_open()
    wire = Wire()
    yield wire
    wire.close()
    gc.collect()
    assert memory_maps() == mapped
    assert descriptors_open() == opened


@settings(max_examples=50)
@given(values, st.integers(min_value=0, max_value=3 * LARGE))
def test_anything_comes_out_as_it_went_in(value: Any, padding: int) -> None:
    wire = Wire()
    assert wire.send((value, b"x" * padding)) == (value, b"x" * padding)
    wire.close()


@pytest.mark.parametrize("size", [0, 1, LARGE - 200, LARGE, 1 << 17, (1 << 17) + 1, 3 << 20])
@pytest.mark.parametrize("make", [bytes, bytearray, lambda size: "é" * size, lambda size: [b"a" * size] * 3])
def test_large_values_come_out_as_they_went_in(wire: Wire, make: Any, size: int) -> None:
    assert wire.send(make(size)) == make(size)
    assert wire.send((make(size), {"kept": make(size)})) == (make(size), {"kept": make(size)})


def test_pickle_buffers_come_out_as_they_went_in(wire: Wire) -> None:
    data = os.urandom(1 << 18)
    for source in (data, bytearray(data)):
        value = wire.send(pickle.PickleBuffer(source))
        assert bytes(value) == data
        del value


def test_an_array_is_read_where_it_lies(wire: Wire) -> None:
    array = numpy.arange(1 << 20)
    before = memory_maps()
    first = wire.send(array)
    assert (first == array).all()
    assert memory_maps() > before
    assert wire.freed == []
    # It lies in the memory that both share: what is written there is seen here.
    offset = HOST
    position = os.pread(wire.memory, 1 << 24, offset).index(array[1000:1010].tobytes())
    os.pwrite(wire.memory, (7).to_bytes(8, "little"), offset + position)
    assert first[1000] == 7
    del first
    gc.collect()
    assert wire.freed == [offset]


def test_regions_are_used_again(wire: Wire) -> None:
    offsets = {wire.offset_of(bytes(1 << 20)) for _ in range(20)}
    assert len(offsets) == 1
    large = {wire.offset_of(bytes(48 << 20)) for _ in range(3)}
    assert len(large) == 1
    # The pages of what is larger than an arena keeps are the system's again.
    assert os.fstat(wire.memory).st_blocks * 512 < 40 << 20


def test_many_arrays_cost_no_more_than_some_maps(wire: Wire) -> None:
    before = memory_maps()
    arrays = [wire.send(numpy.full(1 << 14, number)) for number in range(300)]
    assert all((array == number).all() for number, array in enumerate(arrays))
    assert memory_maps() - before < 400
    del arrays
    gc.collect()


def test_a_payload_that_is_copied_in_steps_is_whole_at_the_end() -> None:
    wire = Wire(at_once=1000)
    data = os.urandom(100_000)
    flags, body = payload.dump(data, wire.arena)
    region = payload.region_of(body)
    steps = 0
    while not wire.arena.is_full(region):
        wire.arena.fill(region)
        steps += 1
    assert 90 < steps < 110
    assert payload.load(flags, body, wire.reader) == data
    wire.close()


def test_a_payload_that_is_taken_back_half_copied_is_forgotten() -> None:
    wire = Wire(at_once=1000)
    _, body = payload.dump(os.urandom(100_000), wire.arena)
    region = payload.region_of(body)
    wire.arena.free(region)
    assert wire.arena.is_full(region)
    wire.arena.fill(region)
    wire.close()


def test_what_does_not_unpickle_gives_its_region_back(wire: Wire) -> None:
    flags, body = payload.dump(b"x" * (1 << 17), wire.arena)
    region = payload.region_of(body)
    os.pwrite(wire.memory, b"\0" * 100, region)
    with pytest.raises(pickle.UnpicklingError):
        payload.load(flags, body, wire.reader)
    assert wire.freed == [region]


def test_tuples_that_share_their_items_are_not_counted_for_ever(wire: Wire) -> None:
    value: tuple[Any, ...] = (1, 2)
    for _ in range(60):
        value = (value, value)
    back = wire.send(value)
    assert back[0] is back[1]


def test_an_array_outlives_the_pool_that_it_came_from(open_pool: OpenPool) -> None:
    pool = open_pool(1)
    array = pool.submit(numpy.arange, 1 << 18).result(PATIENCE)
    pool.stop()
    assert int(array.sum()) == (1 << 18) * ((1 << 18) - 1) // 2
    array[0] = 5
    del array
    gc.collect()


def test_a_method_goes_with_its_object_as_it_is_now(open_pool: OpenPool) -> None:
    pool = open_pool(1)
    state = {"a": 1}
    assert pool.submit(state.get, "a").result(PATIENCE) == 1
    state["a"] = 2
    assert pool.submit(state.get, "a").result(PATIENCE) == 2


class Exits:
    """Its pickling ends the program."""

    def __reduce__(self) -> NoReturn:
        raise SystemExit(3)


def test_arguments_that_exit_when_they_are_pickled_end_one_job(open_pool: OpenPool) -> None:
    pool = open_pool(1)
    slow = pool.submit(spend, 0.1)
    bad = pool.apply_async(len, (Exits(),))
    good = pool.submit(abs, -1)
    with pytest.raises(SystemExit):
        bad.result(PATIENCE)
    assert slow.result(PATIENCE)
    assert good.result(PATIENCE) == 1


def test_the_two_arenas_do_not_meet() -> None:
    memory = new_memory()
    host, child = Arena(memory, HOST), Arena(memory, CHILD)
    regions = [arena.write([b"x"], (1,)).offset for arena in (host, child) for _ in range(3)]
    assert len(set(regions)) == 6
    assert max(regions[:3]) < CHILD <= min(regions[3:])
    host.close()
    child.close()
    os.close(memory)
