"""The contract suite holds one pool to every point of the contract; its process is patched for that pool.

By hand: ``.venv/bin/pools exec -P NAME -m pytest tests/contract --pool NAME``. The tests of each pool run it by way of
``tests/contract/suite.py``; without ``--pool`` nothing is collected here.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import pools
from pools import BasePool
from pools.errors import UnsupportedError
from pools.spec import Traits
from pools.testing.leftovers import holdings, leftovers
from tests.contract.records import spend

settings.register_profile(
    "contract",
    deadline=None,
    database=None,
    derandomize=bool(os.environ.get("CI")),
    # `open_pool` opens as many pools as it is asked for: one for each example.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("contract")

OpenPool = Callable[..., BasePool]


def _noop() -> None:
    pass


#: For each trait that a pool may lack: a call that it rules out.
REFUSED: dict[str, Callable[[str], object]] = {
    "soft_timeout": lambda name: pools.open(name, soft_timeout=1.0),
    "hard_timeout": lambda name: pools.open(name, timeout=1.0),
    "terminate": lambda name: _with_pool(name, lambda pool: pool.terminate_job(1)),
    "resize": lambda name: _with_pool(name, lambda pool: pool.grow()),
    "context": lambda name: pools.open(name, context="copy"),
    "initializer": lambda name: pools.open(name, initializer=_noop),
    "max_concurrency": lambda name: pools.open(name, 2),
}


def _with_pool(name: str, call: Callable[[BasePool], object]) -> None:
    with pools.open(name) as pool:
        call(pool)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pool", metavar="NAME", help="the pool that the contract suite holds to the contract")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs(*traits): the test asks for what these traits promise; of a pool without one of them, it asserts that "
        "what the trait rules out is refused. 'max_concurrency' stands for several jobs at once.",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # Where this file is found too late to add its option, the option is not there to be asked for.
    return None if config.getoption("--pool", None) else True


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Have a pool that lacks a trait refuse what a test that needs it would ask for."""
    name = pyfuncitem.config.getoption("--pool")
    for marker in pyfuncitem.iter_markers("needs"):
        for trait in marker.args:
            if not _declared(pools.spec(name).traits, trait):
                with pytest.raises(UnsupportedError, match=rf"^pool {name} .*\(trait {trait} is "):
                    REFUSED[trait](name)
                return True
    return None


def _declared(traits: Traits, trait: str) -> bool:
    if trait == "max_concurrency":
        return traits.max_concurrency is None or traits.max_concurrency > 1
    return bool(getattr(traits, trait))


@pytest.fixture(scope="session")
def pool_name(request: pytest.FixtureRequest) -> str:
    """The pool that is held to the contract."""
    name: str = request.config.getoption("--pool")
    return name


@pytest.fixture(scope="session")
def traits(pool_name: str) -> Traits:
    """What it declares."""
    return pools.spec(pool_name).traits


@pytest.fixture(scope="session")
def several(traits: Traits) -> int:
    """A few slots, for tests in which more than one makes it harder; as many as the pool can have at the least."""
    return min(4, traits.max_concurrency or 4)


@pytest.fixture(scope="session", autouse=True)
def _made_once(pool_name: str, traits: Traits) -> None:
    """What a process makes once and keeps, its hub above all, is there before anything is counted."""
    limits: dict[str, Any] = {"timeout": 10.0} if traits.hard_timeout else {}
    with pools.open(pool_name, 1, **limits) as pool:
        pool.apply_async(spend, (0.001,)).result()
        pool.timer.call_after(0.0, _noop)


@pytest.fixture(autouse=True)
def _no_limit_is_lost(no_garbage_collection: None) -> None:
    """No test, and no callback of Hypothesis, has the garbage collector run in the middle of a job."""


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads of the system take turns every few instructions: what can come between comes between."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def open_pool(
    pool_name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[OpenPool]:
    """Opens a pool, ``open_pool(concurrency=1, **options)``, as often as it is called.

    At the end each pool is stopped, and the test fails if anything is left of them, if an error was logged that the
    test has not cleared away (``caplog.clear()``), or if a thread or hub wrote to standard error.
    """
    opened: list[BasePool] = []

    def open_one(concurrency: int = 1, **options: Any) -> BasePool:
        pool = pools.open(pool_name, concurrency, **options)
        opened.append(pool)
        return pool

    before = holdings()
    yield open_one
    for pool in opened:
        pool.stop(timeout=5.0)
    assert leftovers(before) == ""
    assert [pool.info["strays"] for pool in opened if pool.info["strays"]] == []
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []
    assert capfd.readouterr().err == ""
