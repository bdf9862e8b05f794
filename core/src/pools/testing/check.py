"""Holds a pool to the contract: runs the suite in processes of its own, and puts together what they tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.util import find_spec
from time import monotonic
from typing import Any

from pools import registry
from pools.discovery import declared_pool, installed
from pools.errors import PluginError, UsageError
from pools.testing.points import POINTS
from pools.testing.process import Task
from pools.testing.report import Report
from pools.testing.run import Run


def check(
    pool: str,
    options: Mapping[str, Any] | None = None,
    *,
    points: Collection[int] = (),
    expression: str = "",
    quick: bool = False,
    processes: int = 1,
) -> Report:
    """Hold a pool to the contract.

    Args:
        pool: The name of an installed pool, or ``"module:Class"``.
        options: What to open it with, beyond what a test asks for.
        points: The numbers of the points to hold it to; by default all.
        expression: Which of the tests to run, as pytest's ``-k`` takes it.
        quick: Do less of what is repeated, for an answer in seconds.
        processes: How many processes share the tests, where there are enough of them.

    Raises:
        UsageError: There is no such pool, the kit is not installed, or no test is selected.
    """
    for module in ("pytest", "hypothesis"):
        if find_spec(module) is None:
            raise UsageError(f"the conformance kit needs {module}: pip install 'pools-core[testing]'")
    modules = tuple(point.modules for point in POINTS if not points or point.number in points)
    declared = registry.spec(pool)
    task = Task(pool, patched_as(pool), dict(options or {}), modules, expression, quick)
    run = Run(Report(declared.name, pool, declared.traits), task, processes)
    began = monotonic()
    run.go()
    run.report.seconds = monotonic() - began
    if not run.report.points:
        raise UsageError(f"no test of the suite matches {expression!r}")
    return run.report


def patched_as(pool: str) -> str | None:
    """The installed pool whose patches the process of a pool needs, if it needs any.

    A class without a plugin declares no patches: it needs those of the installed pool that it is derived from.
    """
    if not registry.is_custom(pool):
        return pool if registry.spec(pool).patches else None
    bases = {f"{base.__module__}:{base.__qualname__}" for base in registry.pool_class(pool).__mro__}
    for plugin in installed():
        try:
            declared = declared_pool(plugin)
        except PluginError:
            continue  # `pools list` has the reason
        if declared.pool in bases and declared.patches:
            return declared.name
    return None
