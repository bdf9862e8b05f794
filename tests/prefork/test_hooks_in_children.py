"""Hooks of plugins where jobs run: in children."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pools import BasePool, Job, current_job, hooks
from pools.hooks import hookimpl
from tests.contract.records import apply
from tests.core.fake_plugins import Site
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import settled
from tests.prefork.targets import echo, note, noted


class Watcher:
    """Notes what it is told of, and changes a value."""

    def __init__(self, log: str) -> None:
        self.log = log

    @hookimpl
    def pools_child_started(self, pool: BasePool) -> None:
        note(self.log, "started", os.getpid(), pool.name)

    @hookimpl
    def pools_child_exiting(self, pool: BasePool) -> None:
        note(self.log, "exiting", os.getpid(), pool.name)

    @hookimpl(wrapper=True)
    def pools_run_job(self, pool: BasePool, job: Job) -> Generator[None, Any, Any]:
        note(self.log, "job", job.id, job is current_job(), pool.name)
        try:
            value = yield
        except ZeroDivisionError:
            return "nothing"
        if value == "refuse":
            raise PermissionError("not this one")
        return value


@pytest.fixture
def log(tmp_path: Path) -> Iterator[str]:
    """Where a watcher that is registered notes what it sees."""
    path = str(tmp_path / "log")
    watcher = Watcher(path)
    hooks.register(watcher)
    yield path
    hooks.manager.unregister(watcher)


def test_the_life_of_children(open_pool: OpenPool, log: str) -> None:
    """Each is told of when it starts, before its first job, and when it exits by itself, after its last."""
    pool = open_pool(1, max_tasks_per_child=2)
    ran = [apply(pool, targets.pid).value() for _ in range(4)]
    pool.stop()
    lines = [line for line in noted(log) if not line.startswith("job")]
    children = list(dict.fromkeys(ran))
    for child in children:
        assert lines.count(f"started {child} prefork") == lines.count(f"exiting {child} prefork") == 1
    first = noted(log)
    assert first[0] == f"started {children[0]} prefork"
    assert first[1] == "job 1 True prefork"


def test_a_wrapper_decides(open_pool: OpenPool, log: str) -> None:
    """What it returns or raises is what the job returned or raised."""
    pool = open_pool(2)
    assert apply(pool, divmod, 1, 0).value() == "nothing"
    assert apply(pool, echo, 5).value() == 5
    error = apply(pool, echo, "refuse").error()
    assert isinstance(error, PermissionError)
    settled(lambda: sum(line.startswith("job") for line in noted(log)), 3)


def test_a_child_that_is_killed_does_not_exit_by_itself(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, log: str
) -> None:
    """So nothing is called there."""
    pool = open_pool(1)
    child = apply(pool, targets.pid).value()
    apply(pool, unruly.raise_signal, 9).error()
    apply(pool, echo, 1).value()
    pool.stop()
    assert f"exiting {child} prefork" not in noted(log)
    caplog.clear()


class Fails:
    """Cannot begin."""

    @hookimpl
    def pools_child_started(self, pool: BasePool) -> None:
        raise LookupError(f"no settings for {pool.name}")


def test_a_hook_that_fails_at_the_start(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """Like an initializer: the pool is broken, and says why."""
    plugin = Fails()
    hooks.register(plugin)
    try:
        error = open_pool(1).apply_async(echo, (1,)).exception(20.0)
    finally:
        hooks.manager.unregister(plugin)
    assert "no settings for prefork" in str(error)
    caplog.clear()


EXTENSION = """
import os
from pools.hooks import hookimpl

seen = []

@hookimpl
def pools_child_started(pool):
    seen.append((pool.name, os.getpid()))

@hookimpl(wrapper=True)
def pools_run_job(pool, job):
    value = yield
    return [value, len(seen), seen[-1][1] == os.getpid(), job.args]
"""

PROGRAM = """
import json, math, sys
import pools

if __name__ == "__main__":
    with pools.open("prefork", 1, start_method=sys.argv[1]) as pool:
        print(json.dumps([pool.apply_async(math.sqrt, (9,)).result(20) for _ in range(2)]))
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_an_installed_extension(tmp_path: Path, method: str) -> None:
    """It is loaded where the children are, however these start, and asked once."""
    site = Site(tmp_path)
    site.extension("extra", EXTENSION)
    site.module("program", PROGRAM)
    done = site.run("-W", "error", "program.py", method)
    assert (done.stdout, done.stderr) == ("[[3.0, 1, true, [9]], [3.0, 1, true, [9]]]\n", "")
