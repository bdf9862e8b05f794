"""Hooks of plugins: ``pools_configure`` before a pool starts, and wrappers around the execution of each job."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterator
from contextvars import ContextVar
from typing import Any

import pytest

import pools
from pools import BasePool, Job, current_job, hooks
from pools.hooks import hookimpl
from pools.states import JobState, PoolState
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, apply, spend

Register = Callable[[object], None]


@pytest.fixture
def register() -> Iterator[Register]:
    """Registers a plugin for the time of the test."""
    registered: list[object] = []

    def add(plugin: object) -> None:
        hooks.verify(plugin)
        hooks.register(plugin)
        registered.append(plugin)

    yield add
    for plugin in registered:
        hooks.manager.unregister(plugin)


class Watcher:
    """Wraps jobs, and notes what it sees."""

    def __init__(self, name: str = "watcher", log: list[Any] | None = None) -> None:
        self.name = name
        self.log: list[Any] = [] if log is None else log

    @hookimpl(wrapper=True)
    def pools_run_job(self, pool: BasePool, job: Job) -> Generator[None, Any, Any]:
        self.log.append((self.name, "begins", pool, job, job.state))
        try:
            value = yield
        except BaseException as error:
            self.log.append((self.name, "raised", error))
            raise
        self.log.append((self.name, "returned", value))
        return value


class Configurer:
    """Notes the state of the pools that it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[BasePool, PoolState]] = []

    @hookimpl
    def pools_configure(self, pool: BasePool) -> None:
        self.seen.append((pool, pool.state))


def test_configure_before_the_start(open_pool: OpenPool, register: Register) -> None:
    """Every pool that is opened, once, while it is new."""
    configurer = Configurer()
    register(configurer)
    pool = open_pool()
    pool.restart()
    assert configurer.seen == [(pool, PoolState.NEW)]


def test_a_configuration_that_fails(pool_name: str, register: Register) -> None:
    """No pool is opened then; the exception says why."""

    class Fails:
        @hookimpl
        def pools_configure(self, pool: BasePool) -> None:
            raise LookupError(f"no settings for {pool.name}")

    register(Fails())
    with pytest.raises(LookupError, match=f"^no settings for {pool_name}$"):
        pools.open(pool_name, 1)


def test_a_wrapper_sees_job_and_value(open_pool: OpenPool, register: Register) -> None:
    """Around the call, where the job runs already."""
    watcher = Watcher()
    register(watcher)
    pool = open_pool()
    record = apply(pool, divmod, 7, 2)
    assert record.value() == (3, 1)
    assert watcher.log == [
        ("watcher", "begins", pool, record.job, JobState.ACCEPTED),
        ("watcher", "returned", (3, 1)),
    ]


def test_a_wrapper_sees_the_exception(open_pool: OpenPool, register: Register) -> None:
    """The very one that the job ends in, whose traceback begins in the job's own code."""
    watcher = Watcher()
    register(watcher)
    pool = open_pool()

    def target() -> None:
        raise LookupError("target")

    error = apply(pool, target).error()
    assert watcher.log[-1] == ("watcher", "raised", error)
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["target"]


@pytest.mark.needs("soft_timeout")
def test_a_wrapper_sees_a_limit(open_pool: OpenPool, register: Register) -> None:
    """A soft limit passes through it like any exception of the job."""
    watcher = Watcher()
    register(watcher)
    pool = open_pool()
    error = apply(pool, spend, PATIENCE, soft_timeout=0.01).error()
    assert watcher.log[-1] == ("watcher", "raised", error)


def test_wrappers_nest(open_pool: OpenPool, register: Register) -> None:
    """Each job is inside all of them, last registered outermost."""
    log: list[Any] = []
    register(Watcher("inner", log))
    register(Watcher("outer", log))
    pool = open_pool()
    for _ in range(3):
        log.clear()
        assert apply(pool, divmod, 7, 2).value() == (3, 1)
        assert [entry[:2] for entry in log] == [
            ("outer", "begins"),
            ("inner", "begins"),
            ("inner", "returned"),
            ("outer", "returned"),
        ]


def test_a_wrapper_decides(open_pool: OpenPool, register: Register) -> None:
    """What it returns or raises is what the job is taken to have returned or raised."""

    class Changes:
        @hookimpl(wrapper=True)
        def pools_run_job(self) -> Generator[None, Any, Any]:
            try:
                value = yield
            except ZeroDivisionError:
                return "nothing"
            if value == (0, 0):
                raise LookupError("nothing left")
            return value

    register(Changes())
    pool = open_pool()
    assert apply(pool, divmod, 1, 0).value() == "nothing"
    assert apply(pool, divmod, 7, 2).value() == (3, 1)
    error = apply(pool, divmod, 0, 2).error()
    assert isinstance(error, LookupError)
    # It shows where it was raised.
    assert traceback.extract_tb(error.__traceback__)[-1].name == "pools_run_job"


def test_a_wrapper_that_fails_before_the_job(open_pool: OpenPool, register: Register) -> None:
    """The job is not called, and ends in that exception; the next one is wrapped anew."""
    called: list[int] = []

    class Refuses:
        @hookimpl(wrapper=True)
        def pools_run_job(self, job: Job) -> Generator[None, Any, Any]:
            if job.args == (1,):
                raise PermissionError("not this one")
            return (yield)

    register(Refuses())
    pool = open_pool()
    assert isinstance(apply(pool, called.append, 1).error(), PermissionError)
    apply(pool, called.append, 2).value()
    assert called == [2]


def test_the_current_job_of_a_wrapper(open_pool: OpenPool, register: Register) -> None:
    """It is the job that is wrapped, before and after it, also when another job submitted it."""
    seen: list[bool] = []

    class Looks:
        @hookimpl(wrapper=True)
        def pools_run_job(self, job: Job) -> Generator[None, Any, Any]:
            seen.append(current_job() is job)
            value = yield
            seen.append(current_job() is job)
            return value

    register(Looks())
    pool = open_pool()
    inner: list[Job] = []
    apply(pool, lambda: inner.append(pool.apply_async(spend, (0.0,)))).value()
    inner[0].result(PATIENCE)
    assert seen == [True] * 4


def test_a_wrapper_shares_the_context_of_its_job(open_pool: OpenPool, register: Register) -> None:
    """A wrapper may set a context variable for the job, and that of no other."""
    span: ContextVar[int] = ContextVar("span", default=0)

    class Traces:
        @hookimpl(wrapper=True)
        def pools_run_job(self, job: Job) -> Generator[None, Any, Any]:
            assert span.get() == 0
            span.set(job.id)
            return (yield)

    register(Traces())
    pool = open_pool()
    jobs = [pool.apply_async(span.get) for _ in range(50)]
    assert [job.result(PATIENCE) for job in jobs] == [job.id for job in jobs]
    assert span.get() == 0


def test_nobody_wraps(open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a wrapper no job goes by way of the plugin manager."""
    asked: list[object] = []
    monkeypatch.setattr(hooks, "run_job", lambda *args: asked.append(args))
    pool = open_pool()
    assert not pool.wraps_jobs
    assert apply(pool, divmod, 7, 2).value() == (3, 1)
    assert asked == []


def test_a_pool_that_runs_is_not_wrapped_late(open_pool: OpenPool, register: Register) -> None:
    """Who registers later wraps from the pool's next start on."""
    pool = open_pool()
    watcher = Watcher()
    register(watcher)
    apply(pool, divmod, 7, 2).value()
    assert watcher.log == []
    pool.restart()
    apply(pool, divmod, 7, 2).value()
    assert len(watcher.log) == 2
