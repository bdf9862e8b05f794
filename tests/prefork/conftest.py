"""What the tests of the prefork pool start from: pools that leave nothing behind."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import pools
from pools.testing.leftovers import holdings, leftovers
from pools_prefork.pool import PreforkPool
from tests.prefork.mappings import memory_maps

OpenPool = Callable[..., PreforkPool]

settings.register_profile(
    "prefork", deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("prefork")


@pytest.fixture(autouse=True)
def _forks() -> None:
    """Forks of a process with threads, which pytest's plugins have, are what many tests ask for."""
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)


@pytest.fixture
def open_pool(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[OpenPool]:
    """Opens a pool, ``open_pool(concurrency=1, **options)``, as often as it is called; its children are forks, if
    nothing else is asked for, which are up at once.

    At the end each pool is stopped, and the test fails if anything is left of them (a thread, a child, a descriptor, a
    memory map), if an error was logged that the test has not cleared away (``caplog.clear()``), or if a child or a
    thread wrote to standard error.
    """
    opened: list[PreforkPool] = []

    def open_one(concurrency: int = 1, **options: Any) -> PreforkPool:
        pool = pools.open("prefork", concurrency, **{"start_method": "fork", **options})
        assert isinstance(pool, PreforkPool)
        opened.append(pool)
        return pool

    before, mapped = holdings(), memory_maps()
    yield open_one
    for pool in opened:
        pool.stop(timeout=5.0)
    assert leftovers(before) == ""
    assert memory_maps() <= mapped
    assert [pool.info["strays"] for pool in opened if pool.info["strays"]] == []
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
    assert capfd.readouterr().err == ""
