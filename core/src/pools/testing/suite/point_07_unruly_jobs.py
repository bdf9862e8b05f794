"""Point 7: jobs cannot break the pool. Each gets an outcome that says what happened, and the next job runs."""

from __future__ import annotations

import sys
import weakref
from contextvars import ContextVar
from typing import Any, NoReturn

import pytest

from pools import BasePool, current_job
from pools.errors import Cancelled, SoftTimeLimitExceeded, StopJob, Terminated, TimeLimitExceeded, WorkerLostError
from pools.states import JobState
from pools.testing import targets
from pools.testing.history import patience
from pools.testing.pool_under_test import CONTAINED, PoolUnderTest
from pools.testing.records import apply, busy, finish
from pools.testing.waiting import eventually

here = pytest.mark.needs("jobs in this process")

#: What ends a process by default, and must not end more than the job.
EXITS = ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"]


class Rude(BaseException):
    """An error that is not an ``Exception`` and cannot even be shown."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no text")

    __repr__ = __str__


def _works(pool: BasePool) -> None:
    """The pool has all of its slots, and the next jobs run."""
    assert apply(pool, targets.double, 4).value() == 8
    with busy(pool) as records:
        assert len(records) == pool.concurrency


@pytest.mark.parametrize("name", [*EXITS, "MemoryError", "StopIteration", "ValueError"])
def test_whatever_a_job_raises(one: BasePool, subject: PoolUnderTest, name: str) -> None:
    """It is the job's outcome, failed, and gets no further."""
    record = apply(one, targets.throw_named, name)
    error = record.error()
    assert record.kinds == ["accepted", "error"]
    record.check()
    if subject.here or name == "ValueError":
        assert type(error).__name__ == name
        assert record.state is JobState.FAILED
    _works(one)


@here
@pytest.mark.parametrize(
    "error",
    [
        Rude(),
        StopJob("not from the pool"),
        SoftTimeLimitExceeded("not from the pool"),
        TimeLimitExceeded("not from the pool"),
        Terminated("not from the pool"),
        Cancelled("not from the pool"),
        WorkerLostError("not from the pool"),
        ExceptionGroup("several", [ValueError(1), OSError(2)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_is_taken_for_an_act_of_the_pool(one: BasePool, error: BaseException) -> None:
    """A job that raises what the pool would raise has failed, as with any other exception."""
    record = apply(one, targets.throw, error)
    assert type(record.error()) is type(error)
    assert record.state is JobState.FAILED
    record.check()
    _works(one)


@here
def test_the_exit_of_a_greenlet(one: BasePool) -> None:
    """``GreenletExit`` is an outcome like any other, where there are greenlets."""
    library: Any = sys.modules.get("greenlet")
    error = library.GreenletExit("from a job") if library is not None else GeneratorExit("from a job")
    record = apply(one, targets.throw, error)
    assert type(record.error()) is type(error)
    assert record.state is JobState.FAILED
    _works(one)


def test_a_job_that_exits(one: BasePool, subject: PoolUnderTest) -> None:
    """It ends itself, and neither its slot nor the program; the outcome has the code."""
    record = apply(one, targets.leave, 7)
    error = record.error()
    assert not subject.here or type(error) is SystemExit
    assert "7" in str(error)
    record.check()
    _works(one)


def test_a_job_that_recurses_without_end(one: BasePool) -> None:
    """``RecursionError`` is its outcome."""
    for _ in range(2):
        assert isinstance(apply(one, targets.endless).error(), RecursionError)
    _works(one)


def test_a_call_that_cannot_be_made(one: BasePool) -> None:
    """Wrong arguments, and a target that is none, are the job's own errors."""
    assert isinstance(apply(one, targets.double, 1, 2, 3).error(), TypeError)
    target: Any = "no function"
    assert isinstance(apply(one, target).error(), TypeError)
    _works(one)


def test_many_unruly_jobs(pool: BasePool, subject: PoolUnderTest) -> None:
    """As many as there is time for do no more than one, to jobs among them neither."""
    count = subject.load(200) if subject.here else subject.rounds(24)
    unruly = [apply(pool, targets.throw_named, EXITS[number % len(EXITS)]) for number in range(count)]
    between = [apply(pool, targets.double, number) for number in range(count)]
    finish([*unruly, *between])
    assert all(record.error() for record in unruly)
    assert [record.value() for record in between] == [2 * number for number in range(count)]
    _works(pool)
    assert pool.info["running"] == []


def test_large_arguments_and_values(one: BasePool, subject: PoolUnderTest) -> None:
    """A hundred mebibytes in, and some out."""
    size = (4 if subject.quick else 100) * 1024 * 1024
    assert apply(one, targets.measure, bytes(size)).value() == size
    assert len(apply(one, targets.make, size // 4).value()) == size // 4
    _works(one)


# -- What a job leaves behind ------------------------------------------------------------------------------------------


def test_nothing_of_a_job_is_kept(one: BasePool) -> None:
    """What a job was given and what it gave goes, though the pool runs on and the job is held."""
    import gc

    given = targets.Thing()
    watched: list[weakref.ref[Any]] = [weakref.ref(given)]
    jobs = [one.apply_async(targets.take, (given,)), one.apply_async(targets.double, (given, given))]
    assert all(job.wait(patience()) for job in jobs)
    made = one.apply_async(targets.make_thing)
    watched.append(weakref.ref(made.result(patience())))
    assert one.join(patience())
    del given, made

    def gone() -> bool:
        gc.collect()
        return all(ref() is None for ref in watched)

    assert eventually(gone, 3.0), "something of a job that has ended is kept"
    assert all(job.done() for job in jobs)


variable: ContextVar[str] = ContextVar("variable", default="unset")


@here
def test_a_job_leaves_nothing_to_the_next(one: BasePool) -> None:
    """Not the current job, and no context variable that it set."""

    def leave() -> None:
        variable.set("left")

    for _ in range(3):
        apply(one, leave).value()
        assert apply(one, variable.get).value() == "unset"
    assert current_job() is None
    assert variable.get() == "unset"


# -- What does not go to another process -------------------------------------------------------------------------------

elsewhere = pytest.mark.needs("jobs in another process")
contained = pytest.mark.needs("a process for jobs")


@elsewhere
def test_an_argument_that_cannot_go_there(one: BasePool) -> None:
    """The outcome says why, and the next job runs."""
    record = apply(one, targets.give, (number for number in range(3)))
    assert "generator" in str(record.error())
    record.check()
    assert record.kinds[-1] == "error"
    _works(one)


@elsewhere
def test_a_value_that_cannot_come_back(one: BasePool) -> None:
    """The same."""
    record = apply(one, targets.give_unpicklable)
    record.error()
    record.check()
    _works(one)


@elsewhere
def test_a_job_that_ends_its_process(one: BasePool, subject: PoolUnderTest) -> None:
    """It is lost, or has an error that tells the exit code, as that of a pool with its own processes always does."""
    record = apply(one, targets.exit_at_once, 7)
    error = record.error()
    assert isinstance(error, WorkerLostError) or "7" in str(error)
    assert "7" in str(error) or not subject.has(CONTAINED)
    record.check()
    _works(one)


@contained
def test_a_job_whose_process_is_killed(one: BasePool) -> None:
    """The outcome is lost, and has the name of the signal."""
    record = apply(one, targets.kill_itself)
    error = record.error()
    assert isinstance(error, WorkerLostError)
    assert "SIGKILL" in str(error)
    assert record.state is JobState.LOST
    record.check()
    _works(one)


@contained
@pytest.mark.parametrize("target", [targets.give_bad_to_load, targets.raise_bad_to_load])
def test_an_outcome_that_cannot_be_read(one: BasePool, target: Any) -> None:
    """It is an error that says so."""
    record = apply(one, target)
    assert record.error()
    record.check()
    _works(one)


@contained
def test_an_argument_that_cannot_be_read(one: BasePool) -> None:
    """The same on the way there."""
    record = apply(one, targets.give, targets.BadToLoad())
    assert "does not load" in str(record.error())
    record.check()
    _works(one)
