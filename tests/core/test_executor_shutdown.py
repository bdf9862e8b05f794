"""How an executor that opened its pool ends."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
import threading
import time

import pytest

import pools
from pools import PoolExecutor
from pools.errors import (
    PoolStateError,
)
from pools.states import PoolState
from tests.core.executors import AFTER_SHUTDOWN, PATIENCE, Gate, on_concurrent_pools, on_every_pool, until, wait
from tests.patched import check_patched


@on_every_pool
def test_nothing_is_taken_after_shutdown(pool: str) -> None:
    executor = PoolExecutor(1, pool)
    future = executor.submit(abs, -1)
    executor.shutdown()
    executor.shutdown()
    executor.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(RuntimeError, match=AFTER_SHUTDOWN):
        executor.submit(abs, 1)
    with pytest.raises(RuntimeError, match=AFTER_SHUTDOWN):
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
    with pytest.raises(RuntimeError, match=AFTER_SHUTDOWN):
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
    with pytest.raises(RuntimeError, match=AFTER_SHUTDOWN):
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
