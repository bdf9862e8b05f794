"""The kit proves itself: every broken pool fails, at the point that it breaks, and says how."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

from pools import BasePool
from pools.testing.check import check

MODULES = [f"tests.kit.mutants.{path.stem}" for path in sorted(Path(__file__).parent.glob("mutants/[a-z]*.py"))]

#: The kit has deadlines of its own.
pytestmark = pytest.mark.timeout(0)


def _mutants() -> list[Any]:
    found = []
    for name in MODULES:
        for cls in vars(importlib.import_module(name)).values():
            # What has no name of its own is what others are made of.
            ours = inspect.isclass(cls) and issubclass(cls, BasePool) and cls.__module__ == name
            if ours and cls.name != cls.__name__:
                found.append(cls)
    return found


MUTANTS = _mutants()


def test_there_are_enough() -> None:
    """Of every point, and each with a name of its own."""
    assert len(MUTANTS) >= 60
    assert {cls.breaks for cls in MUTANTS} == set(range(1, 16))
    assert len({cls.name for cls in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda cls: cls.name)
def test_a_mutant_is_found(mutant: Any) -> None:
    """By the tests of its point, and the report says which and how."""
    reference = f"{mutant.__module__}:{mutant.__qualname__}"
    report = check(reference, points=(mutant.breaks,), expression=mutant.found_by, quick=True)
    (found,) = report.points.values()
    assert found.verdict == "fails", report.as_text()
    assert found.failures[0].message
