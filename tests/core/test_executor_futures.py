"""Futures of an executor go through the states, and call the callbacks, that the standard library documents."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest

from pools import PoolExecutor
from tests.core.executors import PATIENCE, Gate, busy, fail, on_concurrent_pools, on_every_pool, wait


@on_concurrent_pools
def test_a_future_that_waits_runs_and_ends(pool: str) -> None:
    gate = Gate()
    with PoolExecutor(1, pool) as executor, busy(executor) as before:
        future = executor.submit(gate, "value")
        assert (future.running(), future.done(), future.cancelled()) == (False, False, False)
        before.open.set()
        wait(gate.begun)
        assert (future.running(), future.done(), future.cancelled()) == (True, False, False)
        assert not future.cancel()
        gate.open.set()
        assert future.result(PATIENCE) == "value"
        assert (future.running(), future.done(), future.cancelled()) == (False, True, False)
        assert not future.cancel()


@on_concurrent_pools
def test_a_future_that_waits_can_be_cancelled(pool: str) -> None:
    calls: list[int] = []
    with PoolExecutor(1, pool) as executor, busy(executor):
        future = executor.submit(calls.append, 1)
        assert future.cancel()
        assert future.cancel()
        assert future.cancelled()
        assert future.done()
        for ask in (future.result, future.exception):
            with pytest.raises(CancelledError):
                ask()
        assert concurrent.futures.wait([future], PATIENCE).done == {future}
    assert not calls


@on_concurrent_pools
def test_whoever_cancels_at_the_same_time_learns_that_it_is_cancelled(pool: str) -> None:
    with PoolExecutor(1, pool) as executor, busy(executor):
        for _ in range(50):
            future = executor.submit(abs, 1)
            answers: list[bool] = []
            threads = [threading.Thread(target=lambda f=future, a=answers: a.append(f.cancel())) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert answers.count(True) >= 1
            assert future.cancelled()
            assert future.cancel()


@on_concurrent_pools
def test_waiting_for_a_result_has_an_end(pool: str) -> None:
    gate = Gate()
    with PoolExecutor(1, pool) as executor:
        future = executor.submit(gate, 5)
        for timeout in (-1, 0, 0.01):
            for ask in (future.result, future.exception):
                with pytest.raises(TimeoutError):
                    ask(timeout)
        gate.open.set()
        assert future.result(timeout=PATIENCE) == 5
        assert future.result(timeout=0) == 5


@on_concurrent_pools
def test_several_may_wait_for_one_future(pool: str) -> None:
    gate = Gate()
    results: list[object] = []
    with PoolExecutor(1, pool) as executor:
        future = executor.submit(gate, 5)
        threads = [threading.Thread(target=lambda: results.append(future.result(PATIENCE))) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait(gate.begun)
        gate.open.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert results == [5] * 4


@on_concurrent_pools
def test_done_callbacks_are_called_in_order_with_the_future(pool: str) -> None:
    gate = Gate()
    calls: list[Any] = []
    with PoolExecutor(1, pool) as executor:
        future = executor.submit(gate, 5)
        for number in range(3):
            future.add_done_callback(lambda f, n=number: calls.append((n, f)))  # type: ignore[misc]
        assert not calls
        gate.open.set()
    assert calls == [(0, future), (1, future), (2, future)]


@on_every_pool
def test_a_done_callback_that_comes_late_is_called_at_once(pool: str) -> None:
    calls: list[object] = []
    with PoolExecutor(1, pool) as executor:
        future = executor.submit(fail, "no")
        assert future.exception() is not None
        future.add_done_callback(calls.append)
        assert calls == [future]


@on_concurrent_pools
def test_a_done_callback_that_raises_is_logged_and_harms_nobody(pool: str, caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()
    calls: list[object] = []

    def bad(_: object) -> None:
        raise ValueError("of the callback")

    with PoolExecutor(1, pool) as executor:
        future = executor.submit(gate, 5)
        future.add_done_callback(bad)
        future.add_done_callback(calls.append)
        gate.open.set()
        assert future.result(PATIENCE) == 5
        assert executor.submit(abs, -2).result(PATIENCE) == 2
    assert calls == [future]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.name == "concurrent.futures"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "of the callback"


@on_concurrent_pools
@pytest.mark.parametrize("cancelled", [False, True])
def test_a_done_callback_holds_nobody_up_who_waits(pool: str, cancelled: bool) -> None:
    first, slow, ended = Gate(), Gate(), threading.Event()

    def bad(_: object) -> None:
        slow()
        ended.set()
        raise SystemExit

    with PoolExecutor(1, pool) as executor:
        before, future = executor.submit(first), executor.submit(abs, -5)
        future.add_done_callback(bad)
        canceller = threading.Thread(target=future.cancel if cancelled else first.open.set)
        canceller.start()
        wait(slow.begun)
        if cancelled:
            with pytest.raises(CancelledError):
                future.result(PATIENCE)
        else:
            assert future.result(PATIENCE) == 5
        slow.open.set()
        wait(ended)
        first.open.set()
        canceller.join(PATIENCE)
        assert concurrent.futures.wait([before, future], PATIENCE).not_done == set()


@on_concurrent_pools
def test_done_callbacks_of_a_cancelled_future(pool: str) -> None:
    calls: list[bool] = []
    with PoolExecutor(1, pool) as executor, busy(executor):
        future = executor.submit(abs, 1)
        future.add_done_callback(lambda f: calls.append(f.cancelled()))
        future.cancel()
        assert calls == [True]
