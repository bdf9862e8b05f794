"""Point 7: jobs cannot break the pool. Each gets an outcome that says what happened, and the next job runs."""

from __future__ import annotations

import _thread
import gc
import sys
import weakref
from contextvars import ContextVar
from threading import local
from typing import Any, NoReturn

import greenlet
import pytest

from pools import current_job
from pools.errors import Cancelled, SoftTimeLimitExceeded, StopJob, Terminated, TimeLimitExceeded, WorkerLostError
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.records import apply


class Rude(BaseException):
    """An error that is not an Exception and cannot even be shown."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no text")

    __repr__ = __str__


ERRORS = [
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    StopIteration(1),
    greenlet.GreenletExit(),
    BaseException("anything"),
    Rude(),
    StopJob("not from the pool"),
    SoftTimeLimitExceeded("not from the pool"),
    TimeLimitExceeded("not from the pool"),
    Terminated("not from the pool"),
    Cancelled("not from the pool"),
    WorkerLostError("not from the pool"),
    ExceptionGroup("several", [ValueError(1), OSError(2)]),
    MemoryError(),
]


def throw(error: BaseException) -> NoReturn:
    """A job that raises."""
    raise error


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_a_job_raises_is_its_outcome(open_pool: OpenPool, error: BaseException) -> None:
    """Nothing that a job raises gets further than its own outcome, and none is taken for an act of the pool."""
    pool = open_pool()
    record = apply(pool, throw, error)
    assert type(record.error()) is type(error)
    record.check()
    assert record.job.state is JobState.FAILED
    assert record.kinds == ["accepted", "error"]
    assert apply(pool, int, 5).value() == 5
    assert pool.stats["jobs"]["failed"] == 1


def endless(depth: int = 0) -> int:
    return endless(depth + 1) + 1


@pytest.mark.parametrize("call", [sys.exit, _thread.exit], ids=["sys.exit", "_thread.exit"])
def test_a_job_that_exits(open_pool: OpenPool, call: Any) -> None:
    """It ends itself, and neither its slot nor the program."""
    pool = open_pool()
    # The patched `_thread.exit` of green pools raises what ends a greenlet.
    assert isinstance(apply(pool, call).error(), SystemExit | greenlet.GreenletExit)
    assert apply(pool, int, 5).value() == 5


def test_a_job_that_recurses_without_end(open_pool: OpenPool) -> None:
    """``RecursionError`` is its outcome."""
    pool = open_pool()
    for _ in range(3):
        assert isinstance(apply(pool, endless).error(), RecursionError)
    assert apply(pool, int, 5).value() == 5


def test_a_call_that_cannot_be_made(open_pool: OpenPool) -> None:
    """Wrong arguments, and a target that is none, are the job's own errors."""
    pool = open_pool()
    assert isinstance(apply(pool, int, 1, 2, 3, 4).error(), TypeError)
    target: Any = "no function"
    assert isinstance(apply(pool, target).error(), TypeError)
    assert apply(pool, int, 5).value() == 5


def test_arguments_of_any_name(open_pool: OpenPool) -> None:
    """No keyword argument of the target is taken for one of the pool's."""
    names = {"self": 1, "job": 2, "pool": 3, "target": 4, "args": 5, "kwargs": 6, "callback": 7, "timeout": 8, "fn": 9}
    pool = open_pool()
    assert pool.apply_async(dict, (), names).result(5.0) == names


def test_an_argument_of_100_mebibytes(open_pool: OpenPool) -> None:
    """In and out."""
    pool = open_pool()
    size = 100 * 1024 * 1024
    record = apply(pool, bytes.__add__, bytes(size), b"x")
    assert len(record.value()) == size + 1
    assert apply(pool, int, 5).value() == 5


class Held:
    """Something that a job is given, and that can be looked for afterwards."""


def test_nothing_of_a_job_is_kept(open_pool: OpenPool) -> None:
    """What a job was given goes when it ends, though the pool runs on and its record is held."""
    pool = open_pool()
    held = Held()
    gone = weakref.ref(held)
    good, bad = apply(pool, id, held), apply(pool, int, held)
    good.value()
    bad.error()
    jobs = good.job, bad.job
    del held, good, bad
    apply(pool, int).value()
    gc.collect()
    assert gone() is None
    assert all(job.done() for job in jobs)


def test_a_job_leaves_nothing_to_the_next(open_pool: OpenPool, traits: Any) -> None:
    """Not the current job, and no context variable that it set; on green pools no greenlet-local either."""
    pool = open_pool()
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    here = local()

    def leave() -> None:
        variable.set("left")
        here.value = "left"

    def find() -> tuple[str, str]:
        return variable.get(), getattr(here, "value", "unset") if traits.is_green else "unset"

    for _ in range(3):
        apply(pool, leave).value()
        assert apply(pool, find).value() == ("unset", "unset")
    assert current_job() is None


def test_many_unruly_jobs(open_pool: OpenPool, several: int) -> None:
    """A thousand of them do no more than one."""
    pool = open_pool(several)
    records = [
        apply(pool, throw, (SystemExit, KeyboardInterrupt, Rude, StopJob)[number % 4]()) for number in range(1000)
    ]
    for record in records:
        record.error()
        record.check()
    assert apply(pool, int, 5).value() == 5
    assert pool.concurrency == several
    assert pool.info["running"] == []
