"""Point 3: a callback that raises is logged, and neither the pool nor another job notices."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NoReturn

import greenlet
import pytest

from pools import BasePool
from pools.errors import SoftTimeLimitExceeded, StopJob
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, apply, busy, spend, wait

ERRORS = [
    ValueError,
    SystemExit,
    KeyboardInterrupt,
    greenlet.GreenletExit,
    StopJob,
    SoftTimeLimitExceeded,
    BaseException,
]


def raiser(pool: BasePool, error: type[BaseException]) -> tuple[Callable[..., NoReturn], Any]:
    """A callback that raises, and an event that is set when it does."""
    called = pool.new_event()

    def callback(*args: object) -> NoReturn:
        called.set()
        raise error("from a callback")

    return callback, called


def check_logged(caplog: pytest.LogCaptureFixture, name: str, error: type[BaseException], count: int = 1) -> None:
    """So many records name the callback and have the error; they are cleared away."""
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(records) == count
    for record in records:
        assert name in record.getMessage()
        assert record.exc_info is not None
        assert record.exc_info[0] is error
    caplog.clear()


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    ("name", "target", "args"),
    [("callback", divmod, (7, 2)), ("error_callback", divmod, (7, 0)), ("accept_callback", divmod, (7, 2))],
)
def test_a_callback_that_raises(
    open_pool: OpenPool,
    caplog: pytest.LogCaptureFixture,
    name: str,
    target: Callable[..., Any],
    args: tuple[int, ...],
    error: type[BaseException],
) -> None:
    """It is logged with the callback's name; the outcome stands, and the next job runs in the same slot."""
    pool = open_pool()
    callback, called = raiser(pool, error)
    record = apply(pool, target, *args, **{name: callback})
    wait(called)
    outcome = record.job.exception(PATIENCE)
    assert isinstance(outcome, ZeroDivisionError) if args == (7, 0) else outcome is None
    after = apply(pool, int)
    assert after.value() == 0
    after.check()
    pool.stop()
    check_logged(caplog, name, error)


@pytest.mark.needs("soft_timeout", "hard_timeout")
@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_a_timeout_callback_that_raises(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, limit: str, error: type[BaseException]
) -> None:
    """It is logged, the limit is kept all the same, and so are the limits of jobs after it."""
    pool = open_pool()
    callback, called = raiser(pool, error)
    for _ in range(2):
        record = apply(pool, spend, PATIENCE, timeout_callback=callback, **{limit: 0.01})
        record.error()
        wait(called)
    pool.stop()
    check_logged(caplog, "timeout_callback", error, count=2)


def test_a_callback_may_use_the_pool(open_pool: OpenPool) -> None:
    """It may give jobs to the pool, cancel others, and ask what runs."""
    pool = open_pool()
    done = pool.new_event()
    seen: list[object] = []

    def chain(value: int) -> None:
        seen.append(value)
        if value < 3:
            pool.apply_async(int, (value + 1,), callback=chain)
        else:
            seen.append(pool.info["state"])
            done.set()

    pool.apply_async(int, (0,), callback=chain)
    wait(done)
    assert seen == [0, 1, 2, 3, "running"]


def test_callbacks_hold_a_stop_up(open_pool: OpenPool) -> None:
    """What was taken is finished when ``stop`` returns: callbacks too, however long they take."""
    pool = open_pool()
    seen: list[int] = []

    def callback(value: int) -> None:
        spend(0.05)
        seen.append(value)

    for number in range(3):
        pool.apply_async(int, (number,), callback=callback)
    pool.stop()
    assert seen == [0, 1, 2]


@pytest.mark.needs("max_concurrency")
def test_a_callback_that_waits_holds_no_other_job_up(open_pool: OpenPool) -> None:
    """Other slots go on while one waits in a callback."""
    pool = open_pool(2)
    release = pool.new_event()
    pool.apply_async(int, callback=lambda _: wait(release))
    assert [apply(pool, int, number).value() for number in range(20)] == list(range(20))
    release.set()


@pytest.mark.needs("hard_timeout")
def test_a_limit_never_hits_a_callback(open_pool: OpenPool) -> None:
    """A limit is the job's alone: its callbacks take as long as they take."""
    pool = open_pool()
    seen: list[int] = []

    def callback(value: int) -> None:
        spend(0.06)
        seen.append(value)

    for number in range(3):
        pool.apply_async(int, (number,), callback=callback, timeout=0.02)
    pool.stop()
    assert seen == [0, 1, 2]


def test_an_error_callback_of_a_cancelled_job_that_raises(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever cancels the job does not get what its callback raises; that is logged."""
    pool = open_pool()
    with busy(pool):
        callback, called = raiser(pool, SystemExit)
        first, second = apply(pool, int, error_callback=callback), apply(pool, int)
        assert first.job.cancel()
        wait(called)
        assert NativeThread(pool, second.job.cancel).join()
    check_logged(caplog, "error_callback", SystemExit)
