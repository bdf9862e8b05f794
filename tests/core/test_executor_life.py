"""How an executor begins, breaks and ends."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

import pools
from pools import PoolExecutor
from pools.errors import (
    BrokenPoolError,
    PoolFullError,
    PoolStateError,
    UnknownPoolError,
    UnsupportedError,
    UsageError,
)
from pools.states import PoolState
from tests.core.executors import PATIENCE, Gate, busy, on_concurrent_pools, on_every_pool, until, wait
from tests.patched import check_patched

AFTER = "^cannot schedule new futures after shutdown$"


# -- The beginning -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, -1])
def test_max_workers_is_a_positive_number(number: int) -> None:
    with pytest.raises(ValueError, match=r"^max_workers must be greater than 0$"):
        PoolExecutor(number, "no-such-pool")


@on_concurrent_pools
def test_max_workers_is_the_concurrency(pool: str) -> None:
    with PoolExecutor(max_workers=3, pool=pool) as executor:
        assert executor.pool.concurrency == 3
        barrier = threading.Barrier(3)
        assert sorted(executor.map(lambda _: barrier.wait(PATIENCE), range(3))) == [0, 1, 2]
    with PoolExecutor(pool=pool) as executor, pools.open(pool) as same:
        assert executor.pool.concurrency == same.concurrency


@on_every_pool
def test_the_pool_may_be_configured(pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLS_POOL", pool)
    monkeypatch.setenv("POOLS_CONCURRENCY", "1")
    with PoolExecutor() as executor:
        assert (executor.pool.name, executor.pool.concurrency) == (pool, 1)


def test_what_cannot_be_opened() -> None:
    with pytest.raises(UnknownPoolError):
        PoolExecutor(pool="no-such-pool")
    with pytest.raises(UnsupportedError, match="pool solo cannot have 2 slots"):
        PoolExecutor(2, "solo")
    with pytest.raises(UnsupportedError, match="pool solo has no option 'colour'"):
        PoolExecutor(1, "solo", colour="red")


@pytest.mark.parametrize("initializer", [7, "text"])
def test_an_initializer_can_be_called(initializer: Any) -> None:
    with pytest.raises(TypeError, match=r"^initializer must be a callable$"):
        PoolExecutor(1, "solo", initializer)


@on_concurrent_pools
def test_options_are_those_of_the_pool(pool: str) -> None:
    executor = PoolExecutor(1, pool, max_queued=0, when_full="raise")
    with busy(executor), pytest.raises(PoolFullError):
        executor.submit(abs, 1)
    executor.shutdown()


# -- The initializer ---------------------------------------------------------------------------------------------------


@on_every_pool
def test_the_initializer_is_called_before_the_first_call(pool: str) -> None:
    calls: list[int] = []
    with PoolExecutor(1, pool, calls.append, (7,)) as executor:
        assert executor.submit(calls.copy).result() == [7]
        assert executor.submit(calls.copy).result() == [7]


@on_every_pool
def test_an_initializer_that_raises_breaks_the_executor(pool: str) -> None:
    calls: list[str] = []

    def initializer() -> None:
        calls.append("initializer")
        raise LookupError("no database")

    with PoolExecutor(1, pool, initializer) as executor:
        errors = [broken(executor, calls) for _ in range(3)]
    assert calls == ["initializer"]
    for error in errors:
        assert isinstance(error, concurrent.futures.BrokenExecutor)
        assert isinstance(error, BrokenPoolError)
        assert str(error) == f"pool {pool} is broken: LookupError('no database')"
        assert isinstance(error.__cause__, LookupError)


def broken(executor: PoolExecutor, calls: list[str]) -> BaseException | None:
    """What a call gets from an executor that is broken, or breaks on its account."""
    try:
        return executor.submit(calls.append, "job").exception(PATIENCE)
    except concurrent.futures.BrokenExecutor as error:
        return error


@on_concurrent_pools
def test_what_waits_when_the_executor_breaks_fails(pool: str) -> None:
    gate = Gate()

    def initializer() -> None:
        gate()
        raise LookupError("no database")

    with PoolExecutor(1, pool, initializer) as executor:
        futures = [executor.submit(abs, n) for n in range(3)]
        wait(gate.begun)
        gate.open.set()
        errors = [future.exception(PATIENCE) for future in futures]
        assert [type(error.__cause__) for error in errors if error] == [LookupError] * 3
        for error in errors:
            assert isinstance(error, concurrent.futures.BrokenExecutor)
        with pytest.raises(concurrent.futures.BrokenExecutor):
            executor.submit(abs, 1)


@on_every_pool
def test_what_a_job_raises_of_another_pool_is_not_the_executors(pool: str) -> None:
    error = BrokenPoolError("another pool")

    def job() -> None:
        raise error

    with PoolExecutor(1, pool) as executor:
        assert executor.submit(job).exception() is error
        assert executor.submit(abs, -1).result() == 1


# -- The end -----------------------------------------------------------------------------------------------------------


@on_every_pool
def test_nothing_is_taken_after_shutdown(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    future = executor.submit(abs, -1)
    executor.shutdown()
    executor.shutdown()
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(RuntimeError, match=AFTER):
        executor.submit(abs, 1)
    with pytest.raises(RuntimeError, match=AFTER):
        executor.map(abs, [1])
    assert future.result() == 1
    assert executor.pool.state is PoolState.STOPPED


@on_concurrent_pools
def test_shutdown_waits_for_what_was_submitted(pool: str) -> None:
    with PoolExecutor(2, pool) as executor:
        futures = [executor.submit(time.sleep, 0.01) for _ in range(6)]
    assert all(future.done() for future in futures)
    assert executor.pool.state is PoolState.STOPPED


@on_concurrent_pools
def test_an_exception_in_the_block_loses_no_call(pool: str) -> None:
    futures: list[concurrent.futures.Future[int]] = []

    def block() -> None:
        with PoolExecutor(1, pool) as executor:
            futures.extend(executor.submit(pow, n, 2) for n in range(4))
            raise LookupError

    with pytest.raises(LookupError):
        block()
    assert [future.result(0) for future in futures] == [0, 1, 4, 9]


@on_concurrent_pools
def test_shutdown_without_waiting(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    gate = Gate()
    futures = [executor.submit(gate, 1), executor.submit(abs, -2)]
    wait(gate.begun)
    executor.shutdown(wait=False)
    assert not futures[0].done()
    with pytest.raises(RuntimeError, match=AFTER):
        executor.submit(abs, 1)
    gate.open.set()
    assert [future.result(PATIENCE) for future in futures] == [1, 2]
    until(lambda: executor.pool.state is PoolState.STOPPED)


@on_concurrent_pools
def test_shutdown_with_and_then_without_haste(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    gate = Gate()
    future = executor.submit(gate)
    executor.shutdown(wait=False)
    threading.Timer(0.02, gate.open.set).start()
    executor.shutdown(wait=True)
    assert future.done()
    assert executor.pool.state is PoolState.STOPPED


@on_concurrent_pools
@pytest.mark.parametrize("wait_", [True, False])
def test_shutdown_may_cancel_what_has_not_begun(pool: str, wait_: bool) -> None:
    executor = PoolExecutor(1, pool)
    gate = Gate()
    running, *waiting = [executor.submit(gate, 1), *(executor.submit(abs, n) for n in range(5))]
    wait(gate.begun)
    opener = threading.Timer(0.02, gate.open.set)
    opener.start()
    executor.shutdown(wait=wait_, cancel_futures=True)
    assert all(future.cancelled() for future in waiting)
    assert running.result(PATIENCE) == 1
    assert not running.job.cancel_requested
    until(lambda: executor.pool.state is PoolState.STOPPED)


@on_concurrent_pools
def test_a_job_cannot_wait_for_the_end_of_its_executor(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    assert isinstance(executor.submit(executor.shutdown).exception(PATIENCE), PoolStateError)
    with pytest.raises(RuntimeError, match=AFTER):
        executor.submit(abs, 1)
    executor.shutdown()


@on_every_pool
def test_a_job_may_shut_its_executor_down(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    assert executor.submit(executor.shutdown, wait=False).result(PATIENCE) is None
    until(lambda: executor.pool.state is PoolState.STOPPED)


@on_every_pool
def test_an_executor_that_nobody_holds_stops_its_pool_when_its_work_is_done(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    running = executor.pool
    futures = [executor.submit(pow, n, 2) for n in range(3)]
    del executor
    assert [future.result(PATIENCE) for future in futures] == [0, 1, 4]
    until(lambda: running.state is PoolState.STOPPED)


AT_EXIT = """
import time, pools

def job(number):
    time.sleep(0.02)
    print(number, flush=True)

executor = pools.PoolExecutor(1, {pool!r})
for number in range(3):
    executor.submit(job, number)
"""


@on_every_pool
def test_the_end_of_the_program_waits_for_what_was_submitted(pool: str) -> None:
    assert program(pool, AT_EXIT.format(pool=pool)).split() == ["0", "1", "2"]


@on_every_pool
def test_the_end_of_the_program_waits_after_a_shutdown_without_waiting(pool: str) -> None:
    code = AT_EXIT.format(pool=pool) + "executor.shutdown(wait=False)"
    assert program(pool, code).split() == ["0", "1", "2"]


def program(pool: str, code: str) -> str:
    """What a program prints that uses this pool."""
    if pools.spec(pool).patches:
        return check_patched(pool, "-c", code)
    return subprocess.check_output(
        [sys.executable, "-c", code], text=True, stderr=subprocess.STDOUT, timeout=PATIENCE, env=os.environ
    )


# -- A pool that runs already ------------------------------------------------------------------------------------------


@on_every_pool
def test_a_pool_that_was_given_stays(pool: str) -> None:
    with pools.open(pool, 1) as running:
        with PoolExecutor(pool=running) as executor:
            assert executor.pool is running
            assert executor.submit(abs, -1).result() == 1
        with pytest.raises(RuntimeError, match=AFTER):
            executor.submit(abs, 1)
        del executor
        assert running.state is PoolState.RUNNING
        assert running.submit(abs, -1).result() == 1


@on_concurrent_pools
def test_an_executor_waits_for_its_own_jobs_and_cancels_no_others(pool: str) -> None:
    gate, other = Gate(), Gate()
    with pools.open(pool, 2) as running:
        others = [running.submit(other)]
        wait(other.begun)
        executor = PoolExecutor(pool=running)
        mine = [executor.submit(gate), executor.submit(abs, 1)]
        wait(gate.begun)
        others.append(running.submit(abs, -1))
        threading.Timer(0.02, gate.open.set).start()
        executor.shutdown(cancel_futures=True)
        assert (mine[0].done(), mine[1].cancelled()) == (True, True)
        assert not others[0].done()
        other.open.set()
        assert others[1].result(PATIENCE) == 1


@on_concurrent_pools
def test_a_job_cannot_wait_for_itself_in_a_pool_that_was_given(pool: str) -> None:
    gate = Gate()

    def job(executor: PoolExecutor) -> None:
        gate()
        executor.shutdown()

    with pools.open(pool, 1) as running:
        executor = PoolExecutor(pool=running)
        future = executor.submit(job, executor)
        gate.open.set()
        assert isinstance(future.exception(PATIENCE), PoolStateError)


@on_every_pool
@pytest.mark.parametrize("choice", [{"max_workers": 1}, {"initializer": print}, {"timeout": 5}], ids=str)
def test_a_pool_that_was_given_cannot_be_changed(pool: str, choice: dict[str, Any]) -> None:
    with pools.open(pool, 1) as running, pytest.raises(UsageError, match=f"pool {pool} runs already"):
        PoolExecutor(pool=running, **choice)


@on_every_pool
def test_a_pool_that_was_given_runs(pool: str) -> None:
    with pools.open(pool, 1) as stopped:
        executor = PoolExecutor(pool=stopped)
    with pytest.raises(PoolStateError, match=f"pool {pool} is stopped"):
        executor.submit(abs, 1)
    with pytest.raises(PoolStateError, match=f"pool {pool} is stopped: start it"):
        PoolExecutor(pool=stopped)


@on_concurrent_pools
def test_whatever_is_submitted_while_another_thread_shuts_down_ends(pool: str) -> None:
    for _ in range(30):
        executor = PoolExecutor(2, pool)
        submitter = Submitter(executor)
        wait(submitter.begun)
        executor.shutdown()
        submitter.join(PATIENCE)
        assert str(submitter.error) == "cannot schedule new futures after shutdown"
        assert {future.result(0) for future in submitter.futures} == {1}


class Submitter(threading.Thread):
    """Submits calls until the executor refuses one."""

    def __init__(self, executor: PoolExecutor) -> None:
        super().__init__()
        self.executor = executor
        self.futures: list[concurrent.futures.Future[int]] = []
        self.begun = threading.Event()
        self.error: RuntimeError | None = None
        self.start()

    def run(self) -> None:
        while self.error is None:
            try:
                self.futures.append(self.executor.submit(abs, -1))
            except RuntimeError as error:
                self.error = error
            self.begun.set()
            time.sleep(0)
