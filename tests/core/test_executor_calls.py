"""What an executor calls, and what comes of it: a value or an exception, and nothing else that is kept."""

from __future__ import annotations

import concurrent.futures
import functools
import gc
import time
import traceback
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from pools import PoolExecutor
from pools.errors import Cancelled, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from tests.core.executors import PATIENCE, Gate, fail, on_concurrent_pools, on_every_pool, until, wait


class Thing:
    """Something that can be called, and that can be referred to weakly."""

    def __call__(self, *args: object, **kwargs: object) -> tuple[object, ...]:
        return (*args, kwargs)

    def method(self, value: object) -> object:
        return value


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


@on_every_pool
def test_nothing_of_a_call_is_kept_once_it_is_done(pool: str) -> None:
    with PoolExecutor(1, pool) as executor:
        thing, argument = Thing(), Thing()
        gone = weakref.ref(thing), weakref.ref(argument)
        future = executor.submit(thing, argument=argument)
        assert future.result()[0]
        del future, thing, argument
        until(lambda: gone[0]() is None and gone[1]() is None)
