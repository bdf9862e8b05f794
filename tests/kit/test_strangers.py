"""Pools of twenty lines, as a third party writes them, pass the kit as they are."""

from __future__ import annotations

import pytest

from pools.testing.check import check
from tests.contract import strangers

#: The kit has deadlines of its own.
pytestmark = pytest.mark.timeout(0)


@pytest.mark.parametrize("cls", [strangers.ThreadPerJob, strangers.OnExecutor, strangers.Elsewhere])
def test_a_stranger_passes(cls: type) -> None:
    """With what it declares."""
    report = check(f"{cls.__module__}:{cls.__qualname__}", quick=True)
    assert report.holds, report.as_text()
    assert sorted(report.points) == list(range(1, 16))
