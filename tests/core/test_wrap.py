"""``pools.wrap``: executors and Celery's own pools behind the contract, with the traits that they can honour."""

from __future__ import annotations

import operator
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextvars import ContextVar
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import pools
from pools.errors import (
    BrokenPoolError,
    PoolStateError,
    Terminated,
    UnsupportedError,
    UsageError,
    WorkerLostError,
)
from pools.spec import Traits
from pools.states import JobState
from tests.contract.strangers import while_there
from tests.patched import check_patched

PATIENCE = 20.0


def processes(workers: int = 2) -> Executor:
    return ProcessPoolExecutor(workers, mp_context=get_context("forkserver"))


def loky(workers: int = 2) -> Executor:
    made: Executor = pytest.importorskip("loky").ProcessPoolExecutor(workers)
    return made


MAKERS: dict[str, Callable[[], Executor]] = {
    "threads": lambda: ThreadPoolExecutor(2),
    "processes": processes,
    "loky": loky,
}


@pytest.fixture(params=MAKERS)
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """An executor with two workers."""
    made = MAKERS[request.param]()
    yield made
    made.shutdown()


def test_jobs_run_there(executor: Executor) -> None:
    seen: list[str] = []
    with pools.wrap(executor) as pool:
        assert pool.concurrency == 2
        assert list(pool.map(operator.neg, range(30))) == [-number for number in range(30)]
        error = pool.apply_async(
            operator.truediv,
            (1, 0),
            accept_callback=lambda *_: seen.append("accepted"),
            error_callback=lambda _: seen.append("error"),
        ).exception(PATIENCE)
        assert isinstance(error, ZeroDivisionError)
        here = pool.apply_async(os.getpid).result(PATIENCE) == os.getpid()
        assert here is isinstance(executor, ThreadPoolExecutor)
        assert pool.traits == Traits(context=here, resize=True, max_concurrency=2)
        assert pool.join(PATIENCE)
    assert seen == ["accepted", "error"]
    # The executor is its owner's, and a pool around it can be started again.
    assert executor.submit(operator.neg, 1).result(PATIENCE) == -1
    with pool:
        assert pool.submit(operator.neg, 2).result(PATIENCE) == -2


def test_as_many_at_once_as_there_are_workers(executor: Executor, tmp_path: Path) -> None:
    busy = tmp_path / "busy"
    busy.touch()
    with pools.wrap(executor, concurrency=1) as pool:
        pool.grow()
        jobs = [pool.apply_async(while_there, (busy,)) for _ in range(3)]
        while len(running := pool.info["running"]) < 2:
            time.sleep(0.005)
        assert [entry["job"] for entry in running] == [1, 2]
        assert jobs[2].cancel()
        assert not jobs[0].cancel()
        with pytest.raises(UnsupportedError, match=r"cannot have 3 slots: at most 2 \(trait max_concurrency is 2\)"):
            pool.grow()
        pool.shrink()
        busy.unlink()
    assert [job.state for job in jobs] == [JobState.SUCCEEDED, JobState.SUCCEEDED, JobState.CANCELLED]


@pytest.mark.parametrize(
    ("options", "trait"),
    [
        ({"timeout": 1}, "hard_timeout is None"),
        ({"soft_timeout": 1}, "soft_timeout is False"),
        ({"initializer": int}, "initializer is False"),
        ({"concurrency": 3}, "max_concurrency is 2"),
        ({"colour": "red"}, ""),
    ],
)
def test_what_cannot_be_kept_from_outside_is_refused(options: dict[str, Any], trait: str) -> None:
    with ThreadPoolExecutor(2) as executor, pytest.raises(UnsupportedError, match=rf"^pool mine .*{trait}"):
        pools.wrap(executor, name="mine", **options)


def test_contexts_are_for_threads_of_this_process() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)
    variable.set(7)
    with ThreadPoolExecutor(1) as executor, pools.wrap(executor) as pool:
        assert pool.apply_async(variable.get).result(PATIENCE) == 7
    with processes(1) as elsewhere, pytest.raises(UnsupportedError, match="trait context is False"):
        pools.wrap(elsewhere, context="copy")


class Inline(Executor):
    """An executor that says nothing of itself."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


def test_how_many_workers_there_are_must_be_known() -> None:
    with pytest.raises(UsageError, match=r"^Inline does not say how many workers it has: say it by concurrency=N$"):
        pools.wrap(Inline())
    with pools.wrap(Inline(), concurrency=3) as pool:
        assert (pool.name, pool.concurrency) == ("Inline", 3)
        assert list(pool.map(operator.neg, range(100))) == [-number for number in range(100)]
        assert isinstance(pool.apply_async(operator.neg, ("",)).exception(0), TypeError)


def test_what_is_no_executor_is_refused() -> None:
    with pytest.raises(UsageError, match=r"neither a concurrent\.futures\.Executor nor a TaskPool of Celery's kind$"):
        pools.wrap(object())  # type: ignore[arg-type]


@pytest.mark.parametrize("make", [processes, loky])
def test_a_broken_executor_loses_its_jobs_and_breaks_the_pool(make: Callable[[int], Executor]) -> None:
    with make(1) as executor:
        pool = pools.wrap(executor)
        lost = pool.apply_async(os._exit, (7,))
        waiting = [pool.apply_async(operator.neg, (number,)) for number in range(5)]
        error = lost.exception(PATIENCE)
        assert isinstance(error, WorkerLostError)
        assert isinstance(error.__cause__, BrokenExecutor)
        assert str(error) == f"{lost} was lost: {error.__cause__}"
        assert lost.state is JobState.LOST
        for job in waiting:
            assert isinstance(job.exception(PATIENCE), BrokenPoolError)
        with pytest.raises(BrokenPoolError, match=r"^pool ProcessPoolExecutor is broken: "):
            pool.apply_async(operator.neg, (1,))
        pool.stop(PATIENCE)


def test_an_executor_whose_workers_cannot_start_breaks_the_pool() -> None:
    with ThreadPoolExecutor(1, initializer=divmod, initargs=(1, 0)) as executor:
        pool = pools.wrap(executor)
        with pytest.raises(BrokenPoolError, match=r"^pool ThreadPoolExecutor is broken: BrokenThreadPool"):
            pool.apply_async(operator.neg, (1,)).result(PATIENCE)
        pool.stop(PATIENCE)


def test_what_its_owner_cancels_is_lost(tmp_path: Path) -> None:
    busy = tmp_path / "busy"
    busy.touch()
    executor = ThreadPoolExecutor(2)
    # Somebody else uses one of the workers.
    other = executor.submit(while_there, busy)
    pool = pools.wrap(executor)
    running, handed_over = (pool.apply_async(while_there, (busy,)) for _ in range(2))
    executor.shutdown(wait=False, cancel_futures=True)
    assert str(handed_over.exception(PATIENCE)) == f"{handed_over} was lost: its executor has cancelled it"
    busy.unlink()
    assert running.result(PATIENCE) is None
    other.result(PATIENCE)
    assert "after shutdown" in str(pool.apply_async(operator.neg, (1,)).exception(PATIENCE))
    pool.stop()


def test_a_pool_that_is_terminated_takes_back_what_has_not_begun(tmp_path: Path) -> None:
    busy = tmp_path / "busy"
    busy.touch()
    with ThreadPoolExecutor(2) as executor:
        other = executor.submit(while_there, busy)
        pool = pools.wrap(executor)
        begun = threading.Event()
        pool.apply_async(while_there, (busy,), accept_callback=lambda *_: begun.set())
        assert begun.wait(PATIENCE)
        called: list[int] = []
        job = pool.apply_async(called.append, (1,))
        pool.terminate()
        assert isinstance(job.exception(0), Terminated)
        busy.unlink()
        other.result(PATIENCE)
    assert called == []


@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(1), processes])
def test_an_executor_is_shut_down_with_the_pool_when_asked(make: Callable[[], Executor]) -> None:
    executor = make()
    pools.wrap(executor, shutdown=True).stop()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(operator.neg, 1)


def test_a_callback_cannot_stop_the_pool() -> None:
    told: list[BaseException] = []

    def stop(_: object) -> None:
        try:
            pool.stop()
        except PoolStateError as error:
            told.append(error)

    with processes() as executor, pools.wrap(executor) as pool:
        pool.apply_async(operator.neg, (1,), callback=stop)
        assert pool.join(PATIENCE)
    assert len(told) == 1


# -- Celery's own pools ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "limit"), [("thread", 3), ("solo", 1)])
def test_a_pool_of_celery(kind: str, limit: int) -> None:
    module = pytest.importorskip(f"celery.concurrency.{kind}")
    task_pool = module.TaskPool(3)
    variable: ContextVar[int] = ContextVar("variable", default=0)
    variable.set(7)
    with pools.wrap(task_pool, name=f"celery-{kind}", shutdown=True) as pool:
        assert task_pool.active
        assert pool.traits == Traits(resize=True, context=True, max_concurrency=limit)
        assert list(pool.map(operator.neg, range(30))) == [-number for number in range(30)]
        assert isinstance(pool.apply_async(operator.truediv, (1, 0)).exception(PATIENCE), ZeroDivisionError)
        assert isinstance(pool.apply_async(_leave).exception(PATIENCE), SystemExit)
        assert pool.apply_async(variable.get).result(PATIENCE) == 7
    assert not task_pool.active


def _leave() -> None:
    raise SystemExit(3)


GREEN = """
import operator, time
from celery.concurrency.{pool} import TaskPool
import pools
task_pool = TaskPool(50)
with pools.wrap(task_pool, shutdown=True) as pool:
    assert pool.is_green and pool.concurrency == 50, pool
    began = time.monotonic()
    list(pool.map(time.sleep, [0.2] * 100, buffersize=100))
    assert 0.4 <= time.monotonic() - began < 10
    print(repr(pool.apply_async(operator.truediv, (1, 0)).exception(10)), pool.stats["jobs"]["succeeded"])
"""


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_a_green_pool_of_celery(pool: str) -> None:
    pytest.importorskip("celery")
    assert check_patched(pool, "-c", GREEN.format(pool=pool)) == "ZeroDivisionError('division by zero') 100\n"


def test_a_pool_of_celery_whose_jobs_run_elsewhere_is_refused() -> None:
    module = pytest.importorskip("celery.concurrency.prefork")
    with pytest.raises(UnsupportedError, match="jobs of TaskPool do not run in this process"):
        pools.wrap(module.TaskPool(2))
