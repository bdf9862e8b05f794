"""Futures of the executor behave as the standard library documents those of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import gc
import logging
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, CancelledError, Future, as_completed
from typing import Any

import pytest

from pools import PoolExecutor
from pools.errors import Cancelled, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from tests.core.executors import PATIENCE, Gate, busy, on_concurrent_pools, on_every_pool, until, wait


class Thing:
    """Something that can be called, and that can be referred to weakly."""

    def __call__(self, *args: object, **kwargs: object) -> tuple[object, ...]:
        return (*args, kwargs)

    def method(self, value: object) -> object:
        return value


def fail(message: str) -> None:
    raise ValueError(message)


# -- Calls -------------------------------------------------------------------------------------------------------------


@on_every_pool
def test_it_is_an_executor_and_gives_futures(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        future = executor.submit(pow, 2, 5)
        assert isinstance(executor, concurrent.futures.Executor)
        assert isinstance(future, concurrent.futures.Future)
        assert future.result() == 32
        assert future.exception() is None
        assert future.done()
        assert not future.running()
        assert not future.cancelled()


@on_every_pool
def test_arguments_may_have_any_name(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        names = {"self": 1, "fn": 2, "args": 3, "kwargs": 4, "target": 5, "callback": 6, "timeout": 7}
        assert executor.submit(dict, **names).result() == names
        with pytest.raises(TypeError):
            executor.submit(fn=pow)  # type: ignore[call-arg]


@on_every_pool
@pytest.mark.parametrize(
    ("target", "args", "result"),
    [
        (functools.partial(pow, 2), (3,), 8),
        (Thing(), (1,), (1, {})),
        (Thing().method, ("x",), "x"),
        (int, ("7",), 7),
        ("{}-{}".format, (1, 2), "1-2"),
        (lambda: None, (), None),
    ],
)
def test_whatever_can_be_called(pool: str, target: Callable[..., object], args: Any, result: object) -> None:
    with PoolExecutor(1, pool) as executor:
        assert executor.submit(target, *args).result() == result


@on_every_pool
@pytest.mark.parametrize("target", [None, 7, "text"])
def test_what_cannot_be_called_fails_as_a_call_of_it_does(pool: str, target: Any) -> None:
    with PoolExecutor(1, pool) as executor:
        assert isinstance(executor.submit(target).exception(), TypeError)


# -- Exceptions --------------------------------------------------------------------------------------------------------


@on_every_pool
def test_an_exception_comes_as_it_was_raised(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        future = executor.submit(fail, "no")
        error = future.exception()
        assert isinstance(error, ValueError)
        assert error.args == ("no",)
        assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["fail"]
        with pytest.raises(ValueError, match="no") as raised:
            future.result()
        assert raised.value is error
        assert traceback.extract_tb(raised.tb)[-1].name == "fail"


@on_every_pool
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_no_exception_ends_the_executor(pool: str, kind: type[BaseException]) -> None:
    def job() -> None:
        raise kind("text")

    with PoolExecutor(1, pool) as executor:
        error = executor.submit(job).exception()
        assert type(error) is kind
        assert executor.submit(abs, -1).result() == 1


@on_every_pool
def test_a_job_that_raises_what_pools_raises_was_not_cancelled(pool: str) -> None:
    def job() -> None:
        raise Cancelled("some other job")

    with PoolExecutor(1, pool) as executor:
        future = executor.submit(job)
        assert isinstance(future.exception(PATIENCE), Cancelled)
        assert not future.cancelled()


@on_concurrent_pools
def test_an_exception_does_not_keep_itself_alive(pool: str) -> None:
    """Where jobs run inline, the frames of the job lead to those of who submitted it, and so to its future."""

    class Error(Exception):
        pass

    def job() -> None:
        raise Error

    with PoolExecutor(1, pool) as executor:
        gc.collect()
        gc.disable()
        try:
            try:
                executor.submit(job).result()
            except Error as error:
                gone = weakref.ref(error)
            executor.submit(abs, 1).result()
            until(lambda: gone() is None)
        finally:
            gc.enable()


@on_every_pool
def test_the_time_limits_of_the_pool(pool: str) -> None:
    with PoolExecutor(1, pool, timeout=0.05) as executor:
        assert isinstance(executor.submit(time.sleep, 1).exception(), TimeLimitExceeded)
    with PoolExecutor(1, pool, soft_timeout=0.05) as executor:
        assert isinstance(executor.submit(spin, 1).exception(), SoftTimeLimitExceeded)


def spin(seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        time.sleep(0.001)


@on_concurrent_pools
def test_a_job_that_is_terminated(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        gate = Gate()
        future = executor.submit(gate)
        wait(gate.begun)
        assert future.job.terminate()
        assert isinstance(future.exception(PATIENCE), Terminated)
        assert not future.cancelled()
        gate.open.set()


# -- States ------------------------------------------------------------------------------------------------------------


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


# -- Done callbacks ----------------------------------------------------------------------------------------------------


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


# -- wait, as_completed, asyncio ---------------------------------------------------------------------------------------


@on_concurrent_pools
def test_wait_for_the_first(pool: str) -> None:
    quick, slow = Gate(), Gate()
    with PoolExecutor(2, pool) as executor:
        futures = [executor.submit(quick), executor.submit(slow)]
        threading.Timer(0.02, quick.open.set).start()
        done, not_done = concurrent.futures.wait(futures, PATIENCE, FIRST_COMPLETED)
        assert (done, not_done) == ({futures[0]}, {futures[1]})
        slow.open.set()


@on_concurrent_pools
def test_wait_for_the_first_that_fails(pool: str) -> None:
    bad, slow = Gate(), Gate()

    def job() -> None:
        bad()
        raise ValueError

    with PoolExecutor(3, pool) as executor:
        futures: list[Future[Any]] = [executor.submit(abs, 1), executor.submit(job), executor.submit(slow)]
        threading.Timer(0.02, bad.open.set).start()
        done, not_done = concurrent.futures.wait(futures, PATIENCE, FIRST_EXCEPTION)
        assert (done, not_done) == ({futures[0], futures[1]}, {futures[2]})
        slow.open.set()
        done, not_done = concurrent.futures.wait([futures[0], futures[2]], PATIENCE, FIRST_EXCEPTION)
        assert not not_done


@on_concurrent_pools
def test_wait_for_all_with_one_cancelled_meanwhile(pool: str) -> None:
    with PoolExecutor(1, pool) as executor, busy(executor) as gate:
        futures: list[Future[Any]] = [executor.submit(abs, 1), executor.submit(fail, "no"), executor.submit(abs, 2)]
        assert concurrent.futures.wait(futures, 0.01, ALL_COMPLETED).done == set()
        futures[2].add_done_callback(lambda _: gate.open.set())
        threading.Timer(0.02, futures[2].cancel).start()
        assert concurrent.futures.wait(futures, PATIENCE, ALL_COMPLETED).done == set(futures)
        assert futures[2].cancelled()


@on_every_pool
def test_as_completed_gives_each_future_once(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        futures = [executor.submit(abs, n) for n in range(20)]
        assert sorted(future.result() for future in as_completed(futures + futures)) == list(range(20))


@on_concurrent_pools
def test_as_completed_gives_futures_as_they_end(pool: str) -> None:
    gates = [Gate(), Gate()]
    with PoolExecutor(3, pool) as executor:
        futures = [executor.submit(gate) for gate in gates]
        results = as_completed(futures, PATIENCE)
        gates[1].open.set()
        assert next(results) is futures[1]
        gates[0].open.set()
        assert next(results) is futures[0]


@on_concurrent_pools
def test_as_completed_has_an_end_and_counts_the_cancelled(pool: str) -> None:
    with PoolExecutor(1, pool) as executor, busy(executor):
        waiting, cancelled = executor.submit(abs, 1), executor.submit(abs, 2)
        cancelled.cancel()
        results = as_completed([waiting, cancelled], 0.05)
        assert next(results) is cancelled
        with pytest.raises(TimeoutError):
            next(results)


@on_concurrent_pools
def test_a_future_of_asyncio(pool: str) -> None:
    async def main(executor: PoolExecutor) -> None:
        wrap = asyncio.wrap_future
        assert await wrap(executor.submit(pow, 2, 3)) == 8
        with pytest.raises(ValueError, match="no"):
            await wrap(executor.submit(fail, "no"))
        assert await asyncio.get_running_loop().run_in_executor(executor, abs, -3) == 3
        gate = Gate()
        running, waiting = executor.submit(gate), executor.submit(abs, 1)
        while not running.running():
            await asyncio.sleep(0.001)
        task = wrap(waiting)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not waiting.cancelled():
            await asyncio.sleep(0.001)
        gate.open.set()
        assert await wrap(running) is None

    with PoolExecutor(1, pool) as executor:
        asyncio.run(main(executor))


# -- What is kept ------------------------------------------------------------------------------------------------------


@on_every_pool
def test_nothing_of_a_call_is_kept_once_it_is_done(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        thing, argument = Thing(), Thing()
        gone = weakref.ref(thing), weakref.ref(argument)
        future = executor.submit(thing, argument=argument)
        assert future.result()[0]
        del future, thing, argument
        until(lambda: gone[0]() is None and gone[1]() is None)
