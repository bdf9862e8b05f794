"""The hooks are what plugins are held to, and wrappers around jobs cost nothing while there are none."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pools import hooks
from pools.errors import PluginError, StopJob
from pools.hooks import hookimpl

POOL, JOB = cast(Any, "the pool"), cast(Any, "the job")


class Wrapper:
    """A plugin that notes what it saw of each job."""

    def __init__(self, name: str, seen: list[object]) -> None:
        self.name = name
        self.seen = seen

    @hookimpl(wrapper=True)
    def pools_run_job(self, pool: object, job: object) -> Generator[None, Any, Any]:
        self.seen.append((self.name, pool, job))
        try:
            value = yield
        except BaseException as error:
            self.seen.append((self.name, type(error)))
            raise
        self.seen.append((self.name, value))
        return f"{self.name}({value})"


@pytest.fixture
def seen() -> Iterator[list[object]]:
    """What two wrappers note, which are loaded for the time of a test."""
    notes: list[object] = []
    wrappers = [Wrapper("first", notes), Wrapper("second", notes)]
    for wrapper in wrappers:
        hooks.register(wrapper)
    yield notes
    for wrapper in wrappers:
        hooks.manager.unregister(wrapper)


def test_no_wrapper_no_cost() -> None:
    assert not hooks.wraps_jobs()


def test_wrappers_are_around_the_job_the_last_one_outermost(seen: list[object]) -> None:
    assert hooks.wraps_jobs()
    assert hooks.run_job(POOL, JOB, lambda: "value") == "second(first(value))"
    assert seen == [
        ("second", "the pool", "the job"),
        ("first", "the pool", "the job"),
        ("first", "value"),
        ("second", "first(value)"),
    ]


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(3), SystemExit(1), StopJob()], ids=repr)
def test_what_a_job_raises_passes_through_the_wrappers(seen: list[object], error: BaseException) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        hooks.run_job(POOL, JOB, fail)
    assert caught.value is error
    assert ("first", type(error)) in seen
    assert ("second", type(error)) in seen


def test_a_job_may_return_none(seen: list[object]) -> None:
    assert hooks.run_job(POOL, JOB, lambda: None) == "second(first(None))"


def test_registering_twice_changes_nothing(seen: list[object]) -> None:
    plugin = SimpleNamespace()
    hooks.register(plugin)
    hooks.register(plugin)
    assert hooks.manager.unregister(plugin) is plugin
    assert not hooks.manager.is_registered(plugin)


def test_a_plugin_is_checked_apart_from_the_loaded_ones(seen: list[object]) -> None:
    alone = hooks.verify(Wrapper("third", []))
    assert len(alone.hook.pools_run_job.get_hookimpls()) == 1
    assert len(hooks.manager.hook.pools_run_job.get_hookimpls()) == 2


def test_a_hook_that_there_is_not_is_refused() -> None:
    class Misspelt:
        @hookimpl
        def pools_configur(self, pool: object) -> None: ...

    with pytest.raises(PluginError, match="unknown hook 'pools_configur'"):
        hooks.verify(Misspelt())
