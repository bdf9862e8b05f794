"""Point 3: a callback that raises is logged, and neither the pool nor another job notices."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from pools import BasePool, signals
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish, launch
from pools.testing.waiting import eventually, wait


class Rude(BaseException):
    """An error that is no ``Exception``."""


ERRORS = [ValueError, SystemExit, KeyboardInterrupt, Rude]


def _raiser(pool: BasePool, error: type[BaseException]) -> tuple[Callable[..., NoReturn], Any]:
    """A callback that raises, and an event that is set when it does."""
    called = pool.new_event()

    def callback(*args: object) -> NoReturn:
        called.set()
        raise error("from a callback")

    return callback, called


def _logged(caplog: pytest.LogCaptureFixture) -> list[type[BaseException] | None]:
    """The exceptions that were logged as errors, each by its class."""
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [record.exc_info[0] for record in records if record.exc_info]


def _check_logged(caplog: pytest.LogCaptureFixture, error: type[BaseException], count: int = 1) -> None:
    assert eventually(lambda: _logged(caplog).count(error) >= count, 2.0), f"{error.__name__} was not logged"
    assert _logged(caplog).count(error) == count


def _check_works(pool: BasePool) -> None:
    """The pool has all of its slots, and the next jobs run."""
    with busy(pool) as records:
        assert len(records) == pool.concurrency
    assert apply(pool, targets.double, 4).value() == 8


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", ["callback", "error_callback", "accept_callback"])
def test_a_callback_that_raises(
    one: BasePool, caplog: pytest.LogCaptureFixture, name: str, error: type[BaseException]
) -> None:
    """It is logged with what it raised; the outcome stands, the other callbacks come, and the next job runs."""
    divisor = 0 if name == "error_callback" else 2
    callback, called = _raiser(one, error)
    record = apply(one, divmod, 7, divisor, **{name: callback})
    wait(called, f"the {name}")
    outcome = record.job.exception(patience())
    assert isinstance(outcome, ZeroDivisionError) if divisor == 0 else outcome is None
    others = {"callback": ["accepted"], "error_callback": ["accepted"], "accept_callback": ["value"]}
    assert eventually(lambda: record.kinds == others[name]), repr(record)
    _check_works(one)
    assert one.join(patience())
    _check_logged(caplog, error)


@pytest.mark.parametrize("error", [ValueError, SystemExit])
@pytest.mark.parametrize(
    "limit", [pytest.param(limit, marks=pytest.mark.needs(trait)) for limit, trait in
              (("soft_timeout", "soft_timeout"), ("timeout", "hard_timeout"))]
)  # fmt: skip
def test_a_timeout_callback_that_raises(
    one: BasePool, caplog: pytest.LogCaptureFixture, limit: str, error: type[BaseException]
) -> None:
    """It is logged, the limit is kept all the same, and so are the limits of jobs after it."""
    for count in (1, 2):
        callback, called = _raiser(one, error)
        record = apply(one, targets.spend, patience(), timeout_callback=callback, **{limit: 0.02})
        record.error()
        wait(called, "the timeout_callback")
        record.check()
        _check_logged(caplog, error, count)
    _check_works(one)


def test_many_callbacks_that_raise(
    pool: BasePool, subject: PoolUnderTest, several: int, caplog: pytest.LogCaptureFixture
) -> None:
    """As many as there is time for do no more than one."""
    count = subject.load(200)
    jobs = []
    for number in range(count):
        callback, _ = _raiser(pool, ERRORS[number % 4])
        jobs.append(pool.apply_async(targets.double, (number,), callback=callback, accept_callback=callback))
    assert [job.result(patience()) for job in jobs] == [2 * number for number in range(count)]
    assert pool.join(patience())
    assert pool.concurrency == several
    _check_works(pool)
    assert len(_logged(caplog)) == 2 * count


def test_other_jobs_notice_nothing(one: BasePool) -> None:
    """Those that wait behind it, and those that come later."""
    with busy(one):
        callback, called = _raiser(one, SystemExit)
        one.apply_async(targets.give, (1,), callback=callback)
        behind = [apply(one, targets.double, number) for number in range(5)]
    wait(called)
    finish(behind)
    assert [record.value() for record in behind] == [0, 2, 4, 6, 8]


def test_an_error_callback_of_a_cancelled_job_that_raises(one: BasePool, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever cancels or terminates the job does not get what its callback raises; that is logged."""
    with busy(one):
        jobs = []
        for _ in range(3):
            callback, _ = _raiser(one, SystemExit)
            jobs.append(one.apply_async(targets.give, (1,), error_callback=callback))
        assert jobs[0].cancel()
        assert NativeThread(one, jobs[1].cancel).join()
        assert jobs[2].terminate()
    _check_logged(caplog, SystemExit, 3)
    _check_works(one)


@pytest.mark.needs("terminate")
def test_an_error_callback_of_a_terminated_job_that_raises(one: BasePool, caplog: pytest.LogCaptureFixture) -> None:
    """The same of a job that runs."""
    callback, called = _raiser(one, ValueError)
    record = launch(one, targets.spend, patience(), error_callback=callback)
    record.accepted()
    assert record.job.terminate()
    wait(called)
    _check_logged(caplog, ValueError)
    _check_works(one)


@pytest.mark.parametrize("name", ["apply", "accepted", "finished"])
def test_a_receiver_that_raises(one: BasePool, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """A receiver of a signal is a callback too."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise SystemExit("from a receiver")

    with getattr(signals, name).connected_to(fail, one):
        assert apply(one, targets.double, 4).value() == 8
        assert one.join(patience())
    _check_logged(caplog, SystemExit)
    _check_works(one)


def test_who_watches_for_an_outcome_and_raises(one: BasePool, caplog: pytest.LogCaptureFixture) -> None:
    """The same of ``when_done``: the job's own callbacks come all the same."""
    with busy(one):
        record = apply(one, targets.double, 4)
        callback, called = _raiser(one, ValueError)
        record.job.when_done(callback)
    wait(called)
    assert record.value() == 8
    _check_logged(caplog, ValueError)
    _check_works(one)


def test_a_callback_may_use_the_pool(one: BasePool) -> None:
    """It may give jobs to the pool, cancel others, and ask what runs."""
    done = one.new_event()
    seen: list[object] = []

    def chain(value: int) -> None:
        seen.append(value)
        if value < 3:
            spare = one.apply_async(targets.give, (value,))
            one.apply_async(targets.give, (value + 1,), callback=chain)
            spare.cancel()
        else:
            seen.append(one.info["state"])
            done.set()

    one.apply_async(targets.give, (0,), callback=chain)
    wait(done, "the last of a chain of callbacks")
    assert seen == [0, 1, 2, 3, "running"]


def test_callbacks_hold_a_stop_up(open_pool: OpenPool) -> None:
    """What was taken is finished when ``stop`` returns: callbacks too, however long they take."""
    pool = open_pool()
    seen: list[int] = []

    def callback(value: int) -> None:
        targets.spend(0.05)
        seen.append(value)

    for number in range(3):
        pool.apply_async(targets.give, (number,), callback=callback)
    pool.stop()
    assert seen == [0, 1, 2]


@pytest.mark.long
@pytest.mark.needs("hard_timeout")
def test_a_limit_never_hits_a_callback(one: BasePool) -> None:
    """A limit is the job's alone: its callbacks take as long as they take."""
    seen: list[int] = []
    timeouts: list[object] = []

    def callback(value: int) -> None:
        targets.spend(0.4)
        seen.append(value)

    options: Any = {"timeout": 0.3, "timeout_callback": lambda *args: timeouts.append(args)}
    jobs = [one.apply_async(targets.give, (number,), callback=callback, **options) for number in range(2)]
    assert one.join(patience())
    assert [job.result(0) for job in jobs] == seen == [0, 1]
    assert timeouts == []
