"""The pool as an executor of the standard library; a dead child does not break it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from pools import PoolExecutor
from pools.errors import RemoteTraceback, WorkerLostError
from pools.testing.leftovers import holdings, leftovers
from tests.contract.records import PATIENCE
from tests.prefork import unruly
from tests.prefork.looks import settled
from tests.prefork.targets import double, echo, hold, spend


@pytest.fixture
def executor() -> Iterator[PoolExecutor]:
    """An executor with two children, of which nothing is left."""
    before = holdings()
    with PoolExecutor(2, "prefork", start_method="fork") as executor:
        yield executor
    assert leftovers(before) == ""


def test_dead_children(executor: PoolExecutor, caplog: pytest.LogCaptureFixture) -> None:
    """The future of a dead child's call has the error; all others have their results."""
    calls: list[futures.Future[Any]] = []
    for number in range(60):
        if number % 20 == 10:
            calls.append(executor.submit(unruly.exit_at_once, number))
        calls.append(executor.submit(double, number))
    done, not_done = futures.wait(calls, PATIENCE)
    assert not not_done
    assert len(done) == 63
    errors = [call.exception() for call in calls if call.exception() is not None]
    assert [type(error) for error in errors] == [WorkerLostError] * 3
    assert sorted(call.result() for call in calls if call.exception() is None) == list(range(0, 120, 2))
    assert executor.submit(double, 4).result(PATIENCE) == 8
    caplog.clear()


def test_wait(executor: PoolExecutor, tmp_path: Path) -> None:
    release = tmp_path / "release"
    slow: futures.Future[Any] = executor.submit(hold, str(release))
    quick: futures.Future[Any] = executor.submit(double, 1)
    failing: futures.Future[Any] = executor.submit(divmod, 1, 0)
    done, _ = futures.wait([slow, quick], PATIENCE, futures.FIRST_COMPLETED)
    assert done == {quick}
    done, _ = futures.wait([slow, failing], PATIENCE, futures.FIRST_EXCEPTION)
    assert done == {failing}
    settled(slow.running, True)
    release.touch()
    done, not_done = futures.wait([slow, quick, failing], PATIENCE)
    assert (len(done), not_done) == (3, set())


def test_as_completed(executor: PoolExecutor, tmp_path: Path) -> None:
    """In the order in which they end."""
    releases = [tmp_path / str(number) for number in range(2)]
    calls = [executor.submit(hold, str(release)) for release in releases]
    ended = futures.as_completed(calls, PATIENCE)
    releases[1].touch()
    assert next(ended) is calls[1]
    releases[0].touch()
    assert next(ended) is calls[0]


def test_map(executor: PoolExecutor) -> None:
    """In order, in chunks, and with a time limit; what fails raises when its turn has come."""
    assert list(executor.map(double, range(100))) == list(range(0, 200, 2))
    assert list(executor.map(divmod, range(4), [2] * 4, chunksize=3)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    values = executor.map(divmod, [1, 2, 3], [1, 0, 1])
    assert next(values) == (1, 0)
    with pytest.raises(ZeroDivisionError) as raised:
        next(values)
    assert isinstance(raised.value.__cause__, RemoteTraceback)
    with pytest.raises(TimeoutError):
        list(executor.map(spend, [1.0, 1.0, 1.0], timeout=0.1))


def test_cancel(executor: PoolExecutor, tmp_path: Path) -> None:
    """What has not begun can be cancelled, what has cannot."""
    release = tmp_path / "release"
    running = [executor.submit(hold, str(release)) for _ in range(2)]
    settled(lambda: [call.running() for call in running], [True, True])
    waiting = executor.submit(echo, 1)
    assert waiting.cancel()
    assert [call.cancel() for call in running] == [False, False]
    executor.shutdown(wait=False, cancel_futures=True)
    release.touch()
    assert {call.result(PATIENCE) != os.getpid() for call in running} == {True}
    with pytest.raises(futures.CancelledError):
        waiting.result()


def fail_to_begin() -> None:
    """An initializer."""
    raise LookupError("no such database")


def test_an_initializer_that_raises_breaks_the_executor(caplog: pytest.LogCaptureFixture) -> None:
    """As the standard library has it."""
    with PoolExecutor(1, "prefork", fail_to_begin, start_method="fork") as executor:
        with pytest.raises(futures.BrokenExecutor, match="no such database"):
            executor.submit(echo, 1).result(PATIENCE)
        with pytest.raises(futures.BrokenExecutor, match="no such database"):
            executor.submit(echo, 1)
    caplog.clear()


def test_an_executor_that_nobody_refers_to_leaves_nothing() -> None:
    """Its calls are done first."""
    before = holdings()
    call = PoolExecutor(2, "prefork", start_method="fork").submit(spend, 0.1)
    began = time.monotonic()
    assert call.result(PATIENCE) <= time.monotonic()
    assert leftovers(before) == ""
    assert time.monotonic() - began < PATIENCE
