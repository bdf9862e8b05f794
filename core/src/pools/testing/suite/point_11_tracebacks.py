"""Point 11: ``error_callback`` and ``job.result()`` give what the job raised, as it raised it."""

from __future__ import annotations

import gc
import traceback
import weakref
from types import TracebackType
from typing import Any

import pytest

from pools import BasePool
from pools.testing import targets
from pools.testing.history import patience
from pools.testing.records import apply, busy
from pools.testing.waiting import eventually

here = pytest.mark.needs("jobs in this process")
contained = pytest.mark.needs("a process for jobs")


def _functions(frames: TracebackType | None) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(frames)]


def _text(error: BaseException) -> str:
    """What a log would have of it: its traceback, and its causes with theirs."""
    return "".join(traceback.format_exception(error))


def test_the_original_exception(one: BasePool) -> None:
    """The callback, ``result``, ``exception`` and the future give the very type, with its arguments and attributes."""
    record = apply(one, targets.order, 7)
    error = record.error()
    assert type(error) is targets.OrderError
    assert (error.args, error.reason) == ((7,), "order 7 is out of stock")
    assert record.job.exception(0) is error
    with pytest.raises(targets.OrderError) as raised:
        record.job.result(0)
    assert raised.value is error
    future = one.submit(targets.order, 8)
    with pytest.raises(targets.OrderError) as raised:
        future.result(patience())
    assert raised.value.args == (8,)
    assert future.exception(patience()) is raised.value


@pytest.mark.parametrize(
    "error",
    [ValueError("one", 2), KeyError("key"), OSError(2, "no file"), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_of_any_type(one: BasePool, error: BaseException) -> None:
    """It arrives as what it is, in no wrapper."""
    found = apply(one, targets.throw, error).error()
    assert type(found) is type(error)
    assert found.args == error.args
    assert str(found) == str(error)


@here
def test_the_traceback_begins_in_the_job(one: BasePool) -> None:
    """Nothing of the pool stands between the reader and the job's own code."""
    error = apply(one, targets.order, 7).error()
    assert _functions(error.__traceback__) == ["order", "reject"]


@contained
def test_the_traceback_is_the_cause(one: BasePool) -> None:
    """It shows the job's own code, of the process in which that ran, to its last line."""
    error = apply(one, targets.order, 7).error()
    assert error.__cause__ is not None, "the exception of a job has no traceback as its cause"
    for name in ("in order", "in reject", "raise OrderError(number)"):
        assert name in str(error.__cause__)
    assert "in order" in _text(error)


@pytest.mark.parametrize("how", [pytest.param("here", marks=here), pytest.param("there", marks=contained)])
def test_the_reader_finds_the_line(one: BasePool, how: str) -> None:
    """In what a log has of the exception, from the callback, ``result`` and a future alike."""
    record = apply(one, targets.order, 7)
    future = one.submit(targets.order, 8)
    for error in (record.error(), record.job.exception(0), future.exception(patience())):
        assert error is not None
        assert "in reject" in _text(error)
        assert "raise OrderError(number)" in _text(error)


@here
def test_the_traceback_of_a_builtin(one: BasePool) -> None:
    """A call that has no frame of its own has no traceback either."""
    error = apply(one, divmod, 1, 0).error()
    assert isinstance(error, ZeroDivisionError)
    assert error.__traceback__ is None


@here
def test_result_adds_who_asked(one: BasePool) -> None:
    """The traceback of what ``result`` raises leads from the caller to the job's own code."""
    job = one.apply_async(targets.order, (7,))
    with pytest.raises(targets.OrderError) as raised:
        job.result(patience())
    functions = _functions(raised.tb)
    assert functions[0] == "test_result_adds_who_asked"
    assert functions[-2:] == ["order", "reject"]


@pytest.mark.parametrize("how", [pytest.param("here", marks=here), pytest.param("there", marks=contained)])
def test_causes_are_kept(one: BasePool, how: str) -> None:
    """``raise … from …`` in a job is what it is elsewhere."""
    error = apply(one, targets.order_with_cause, 7).error()
    assert type(error) is LookupError
    assert "OrderError" in _text(error)
    assert "in reject" in _text(error)
    if how == "here":
        assert isinstance(error.__cause__, targets.OrderError)


# -- What is kept of a job that failed ---------------------------------------------------------------------------------


def _gone(refs: list[weakref.ref[Any]]) -> bool:
    gc.collect()
    return all(ref() is None for ref in refs)


def test_a_job_that_failed_goes_too(one: BasePool) -> None:
    """An exception holds the frames in which it was raised, and the job holds the exception: no pool holds either."""
    given = targets.Thing()
    watched: list[weakref.ref[Any]] = [weakref.ref(given)]
    job = one.apply_async(targets.refuse, (given,))
    error = job.exception(patience())
    assert isinstance(error, targets.OrderError)
    watched += [weakref.ref(job), weakref.ref(error)]
    future = one.submit(targets.refuse, given)
    assert future.exception(patience())
    watched.append(weakref.ref(future))
    assert one.join(patience())
    del given, job, error, future
    assert eventually(lambda: _gone(watched), 3.0), "a job that failed is kept, or what it was given"


def test_an_exception_does_not_hold_its_job(one: BasePool) -> None:
    """Who collects exceptions collects no jobs by it."""
    errors: list[BaseException] = []
    watched: list[weakref.ref[Any]] = []
    with busy(one):
        # They wait, so that they do not run in this frame, and their exceptions do not hold it.
        for _ in range(3):
            job = one.apply_async(targets.order, (7,), error_callback=errors.append)
            watched.append(weakref.ref(job))
            del job
    assert one.join(patience())
    assert eventually(lambda: _gone(watched), 3.0), "the exception of a job holds the job"
    assert len(errors) == 3
