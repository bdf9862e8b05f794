"""What the suite's tests start from: a pytest plugin of the process that runs them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from pools import BasePool
from pools.spec import Traits
from pools.testing import history, records
from pools.testing.leftovers import holdings, leftovers
from pools.testing.pool_under_test import PoolUnderTest

OpenPool = Callable[..., BasePool]

#: Seconds after which what still is there of a stopped pool is looked at more closely.
GONE_SECONDS = 0.1

#: Where pytest keeps how the test itself ended, for its fixtures.
_ended = pytest.StashKey[bool]()


class Fixtures:
    """The fixtures and the selection of tests, for one pool.

    Args:
        subject: The pool.
        tell: Is told of each test that the pool does not promise to pass.
    """

    def __init__(self, subject: PoolUnderTest, tell: Callable[..., None]) -> None:
        self._subject = subject
        self._tell = tell
        self._unusable: BaseException | None = None
        settings.register_profile(
            "pools",
            deadline=None,
            database=None,
            derandomize=True,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("pools")

    # -- Which tests ---------------------------------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        for line in (
            "needs(*traits): the test asks for what these promise; it is run on a pool that declares all of them",
            "lacks(trait): the test sees that what the trait promises is refused; on a pool that does not declare it",
            "thorough: the test is left out of a quick run",
            "long: the test is one of the first, so that at the end none keeps one process at work and the others not",
        ):
            config.addinivalue_line("markers", line)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        try:
            self._subject.look()
        except BaseException as error:
            self._unusable = error
        items[:] = [item for item in items if self._is_promised(item)]
        items.sort(key=lambda item: item.get_closest_marker("long") is None)

    def _is_promised(self, item: pytest.Item) -> bool:
        has = self._subject.has
        if any(has(trait) for marker in item.iter_markers("lacks") for trait in marker.args):
            return False
        if self._subject.quick and item.get_closest_marker("thorough"):
            return False
        missing = [trait for marker in item.iter_markers("needs") for trait in marker.args if not has(trait)]
        if missing:
            self._tell("not promised", test=item.nodeid, traits=missing)
        return not missing

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        if report.when == "call":
            item.stash[_ended] = report.passed
        return report

    # -- What they start from ------------------------------------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def _each_test(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """No test has the garbage collector run in the middle of a job, where a limit raised in a finalizer is lost;
        and none has anything happen to its jobs when it is over."""
        if self._unusable is not None:
            raise self._unusable
        history.forget_failures()
        records.made.clear()
        gc.disable()
        yield
        gc.enable()
        passed = request.node.stash.get(_ended, False)
        try:
            self._subject.settle(failed=not passed)
            if passed:
                for record in records.made:
                    record.check()
        finally:
            records.made.clear()

    @pytest.fixture(scope="session", autouse=True)
    def _all_tests(self) -> Iterator[None]:
        yield
        self._subject.end()

    @pytest.fixture
    def subject(self) -> PoolUnderTest:
        """What is held to the contract."""
        return self._subject

    @pytest.fixture
    def traits(self) -> Traits:
        """What it declares."""
        return self._subject.traits

    @pytest.fixture
    def several(self) -> int:
        """A few slots, where more than one makes it harder; as many as the pool can have at the least."""
        return self._subject.several

    @pytest.fixture
    def one(self) -> BasePool:
        """A running pool with one slot, which other tests use too."""
        return self._subject.share(1)

    @pytest.fixture
    def pool(self) -> BasePool:
        """A running pool with several slots, which other tests use too."""
        return self._subject.share(self._subject.several)

    @pytest.fixture
    def open_pool(self) -> Iterator[OpenPool]:
        """Opens a pool, ``open_pool(concurrency=1, **options)``, as often as it is called.

        At the end each is stopped, and the test fails if anything is left of them.
        """
        opened: list[BasePool] = []

        def open_one(concurrency: int = 1, **options: Any) -> BasePool:
            opened.append(self._subject.open(concurrency, **options))
            return opened[-1]

        before = holdings()
        yield open_one
        for pool in opened:
            pool.stop(timeout=history.patience())
        left = leftovers(before, GONE_SECONDS)
        if left:
            # A pool that tests share may have made something meanwhile: a process in place of one that was killed.
            self._subject.end()
            left = leftovers(before)
        assert left == "", f"left of the pools that were stopped: {left}"
        strays = [pool.info["strays"] for pool in opened]
        assert not any(strays), f"strays are left in pools that were stopped: {strays}"

    @pytest.fixture
    def hasty(self) -> Iterator[None]:
        """Threads of the system take turns every few instructions: what can come between comes between."""
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        yield
        sys.setswitchinterval(interval)
