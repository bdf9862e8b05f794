"""``PoolConformance``: the kit as a test class of a pool's own tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from pools.testing.check import check
from pools.testing.points import POINTS, Point

_BY_POINT = pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point.number:02}-{point.title}")


class PoolConformance:
    """Holds a pool to the contract, in one test for each point.

    Each test runs the part of the suite that is about its point, in a process of its own that is patched as the pool
    declares: it may be run beside others, in any order, and a pool that hangs or ends its process fails no more than
    its point.

    Attributes:
        pool_name: The name of an installed pool, or ``"module:Class"``.
        pool_options: What the pool is opened with, beyond what a test asks for.
        quick: Whether to repeat less; ``pytest --pools-quick`` has every such class do so.
    """

    pool_name: ClassVar[str]
    pool_options: ClassVar[Mapping[str, Any]] = {}
    quick: ClassVar[bool] = False

    @_BY_POINT
    def test_point(self, point: Point, request: pytest.FixtureRequest) -> None:
        """The pool keeps this point, as far as it promises it."""
        __tracebackhide__ = True
        quick = self.quick or request.config.getoption("pools_quick")
        report = check(self.pool_name, self.pool_options, points=(point.number,), quick=quick)
        found = report.of(point)
        request.node.user_properties.append(("pools", f"{report.pool}: {found.line()}"))
        if found.verdict == "fails":
            pytest.fail(report.as_text(), pytrace=False)
