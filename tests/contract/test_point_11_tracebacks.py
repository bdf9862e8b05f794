"""Point 11: ``error_callback`` and ``job.result()`` give what the job raised, as it raised it."""

from __future__ import annotations

import gc
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any

import pytest

from pools import BasePool
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, apply, busy


class OrderError(Exception):
    """An exception of a program: with arguments of its own and an attribute."""

    def __init__(self, number: int, *, reason: str) -> None:
        super().__init__(number)
        self.reason = reason


class Thing:
    """Something that can be watched."""


def _reject(number: int) -> None:
    raise OrderError(number, reason="out of stock")


def _order(number: int) -> None:
    _reject(number)


def _order_with_cause() -> None:
    try:
        _reject(1)
    except OrderError as error:
        raise LookupError("no order") from error


def _functions(frames: TracebackType | None) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(frames)]


def test_the_original_exception(open_pool: OpenPool) -> None:
    """The callback, ``result``, ``exception`` and the future give the very exception, whose class has its say."""
    pool = open_pool()
    record = apply(pool, _order, 7)
    error = record.error()
    assert isinstance(error, OrderError)
    assert (error.args, error.reason) == ((7,), "out of stock")
    assert record.job.exception() is error
    with pytest.raises(OrderError) as raised:
        record.job.result()
    assert raised.value is error
    future = pool.submit(_order, 8)
    with pytest.raises(OrderError) as raised:
        future.result(PATIENCE)
    assert raised.value.args == (8,)
    assert future.exception() is raised.value


def test_the_traceback_begins_in_the_job(open_pool: OpenPool) -> None:
    """Nothing of the pool stands between the reader and the job's own code."""
    pool = open_pool()
    error = apply(pool, _order, 7).error()
    assert _functions(error.__traceback__) == ["_order", "_reject"]


def test_the_traceback_of_a_builtin(open_pool: OpenPool) -> None:
    """A call that has no frame of its own has no traceback either."""
    error = apply(open_pool(), divmod, 1, 0).error()
    assert isinstance(error, ZeroDivisionError)
    assert error.__traceback__ is None


def test_result_adds_who_asked(open_pool: OpenPool) -> None:
    """The traceback of what ``result`` raises leads from the caller to the job's own code."""
    job = open_pool().apply_async(_order, (7,))
    with pytest.raises(OrderError) as raised:
        job.result(PATIENCE)
    functions = _functions(raised.tb)
    assert functions[0] == "test_result_adds_who_asked"
    assert functions[-2:] == ["_order", "_reject"]


def test_causes_are_kept(open_pool: OpenPool) -> None:
    """``raise … from …`` in a job is what it is elsewhere."""
    error = apply(open_pool(), _order_with_cause).error()
    assert isinstance(error, LookupError)
    assert isinstance(error.__cause__, OrderError)
    assert _functions(error.__cause__.__traceback__) == ["_order_with_cause", "_reject"]


def test_an_outcome_of_another_job(open_pool: OpenPool) -> None:
    """A job that fails with the outcome of another one shows the way to where it was raised."""
    pool = open_pool()
    first = pool.apply_async(_order, (7,))
    first.wait(PATIENCE)
    error = apply(pool, first.result).error()
    assert error is first.exception()
    assert _functions(error.__traceback__) == ["result", "_order", "_reject"]


# -- What is kept of a job that has ended ------------------------------------------------------------------------------


@contextmanager
def _no_collection() -> Iterator[None]:
    """What goes in here goes because nothing refers to it any more."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _give_back(thing: Thing) -> Thing:
    return thing


def _take(thing: Thing) -> None:
    del thing


def _make() -> Thing:
    return Thing()


def test_arguments_go_when_the_job_has_ended(open_pool: OpenPool) -> None:
    """A job that somebody holds does not hold its arguments, callbacks and context."""
    pool = open_pool()
    thing, keyword, callback = Thing(), Thing(), Thing()
    watched = [weakref.ref(thing), weakref.ref(keyword), weakref.ref(callback)]

    def target(*_: Any, **__: Any) -> None:
        pass

    with _no_collection():
        job = pool.apply_async(target, (thing,), {"keyword": keyword}, callback=partial(target, callback))
        job.result(PATIENCE)
        assert pool.join(PATIENCE)
        del thing, keyword, callback
        assert [ref() for ref in watched] == [None, None, None]


def test_a_job_goes_with_its_value(open_pool: OpenPool) -> None:
    """A pool that has nothing to do remembers neither its last jobs nor what they returned; slots used before too."""
    pool = open_pool()
    with _no_collection():
        for _ in range(5):
            jobs = [pool.apply_async(_make) for _ in range(3)]
            watched = [weakref.ref(job.result(PATIENCE)) for job in jobs] + [weakref.ref(job) for job in jobs]
            assert pool.join(PATIENCE)
            del jobs
            assert [ref() for ref in watched] == [None] * 6


def test_a_future_goes_with_its_value(open_pool: OpenPool) -> None:
    """The same for futures."""
    pool = open_pool()
    with _no_collection():
        future = pool.submit(_make)
        watched: list[weakref.ref[Any]] = [weakref.ref(future), weakref.ref(future.job)]
        watched.append(weakref.ref(future.result(PATIENCE)))
        assert pool.join(PATIENCE)
        del future
        assert [ref() for ref in watched] == [None, None, None]


def test_map_keeps_no_value(open_pool: OpenPool) -> None:
    """A value that ``map`` has handed out is the caller's alone, while the caller has it already."""
    pool = open_pool()
    with _no_collection():
        for ordered in (True, False):
            values = pool.map(lambda _: Thing(), range(6), ordered=ordered, chunksize=2)
            for _ in range(6):
                value = next(values)
                watched = weakref.ref(value)
                del value
                assert watched() is None


def _fail(thing: Thing) -> None:
    raise OrderError(1, reason=repr(thing))


def _with_result(pool: BasePool, thing: Thing) -> list[weakref.ref[Any]]:
    job = pool.apply_async(_fail, (thing,))
    job.wait(PATIENCE)
    with pytest.raises(OrderError):
        job.result(PATIENCE)
    return [weakref.ref(job)]


def _with_callback(pool: BasePool, thing: Thing) -> list[weakref.ref[Any]]:
    watched: list[weakref.ref[Any]] = []
    job = pool.apply_async(_fail, (thing,), error_callback=lambda error: watched.append(weakref.ref(error)))
    job.wait(PATIENCE)
    return [*watched, weakref.ref(job)]


def _with_future(pool: BasePool, thing: Thing) -> list[weakref.ref[Any]]:
    future = pool.submit(_fail, thing)
    error = future.exception(PATIENCE)
    return [weakref.ref(future), weakref.ref(future.job), weakref.ref(error)]


@pytest.mark.parametrize("use", [_with_result, _with_callback, _with_future])
def test_a_job_that_failed_goes_too(
    open_pool: OpenPool, use: Callable[[BasePool, Thing], list[weakref.ref[Any]]]
) -> None:
    """An exception holds the frames in which it was raised, and the job holds the exception: no pool holds either."""
    pool = open_pool()
    thing = Thing()
    watched = [weakref.ref(thing), *use(pool, thing)]
    del thing
    assert pool.join(PATIENCE)
    # Frames of the caller may refer to themselves by way of the exception, above all where jobs run in them.
    gc.collect()
    assert [ref() for ref in watched] == [None] * len(watched)


def test_an_exception_does_not_hold_its_job(open_pool: OpenPool) -> None:
    """Who collects exceptions collects no jobs by it."""
    pool = open_pool()
    errors: list[BaseException] = []
    watched = []
    with busy(pool):
        # They wait, so that they do not run in this frame, and their exceptions do not hold it.
        for _ in range(3):
            job = pool.apply_async(_order, (7,), error_callback=errors.append)
            watched.append(weakref.ref(job))
            del job
    assert pool.join(PATIENCE)
    gc.collect()
    assert [ref() for ref in watched] == [None] * 3
    assert len(errors) == 3


def test_a_job_that_was_cancelled_goes_too(open_pool: OpenPool) -> None:
    """What was cancelled is forgotten when its turn has come, at the latest."""
    pool = open_pool()
    thing = Thing()
    watched: list[weakref.ref[Any]] = [weakref.ref(thing)]
    with busy(pool):
        job = pool.apply_async(_take, (thing,))
        watched.append(weakref.ref(job))
        assert job.cancel()
        del thing
        assert watched[0]() is None
        del job
    assert pool.join(PATIENCE)
    gc.collect()
    assert [ref() for ref in watched] == [None, None]
    assert pool.apply_async(_give_back, (1,)).result(PATIENCE) == 1
