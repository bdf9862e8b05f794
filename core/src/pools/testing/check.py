"""Holds a pool to the contract: runs the suite in processes of its own, and puts together what they tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from importlib.util import find_spec
from time import monotonic
from typing import Any

from pools import registry
from pools.discovery import declared_pool, installed
from pools.errors import PluginError, UsageError
from pools.testing.points import POINTS, Point, point_of
from pools.testing.process import Ended, SuiteProcess, Task
from pools.testing.report import Failure, PointReport, Report

#: Seconds that a test may take, and that the next ones may once one has not ended in time.
SECONDS_FOR_A_TEST, SECONDS_AFTER_A_HANG = 60.0, 15.0

#: Seconds of failing tests after which no more tests of a point are run.
SECONDS_OF_FAILURE = 8.0

#: The exit code of pytest where it could not use what it was given.
_PYTEST_USAGE = 4

#: As much of what a process wrote is shown as tells why it ended.
_LINES_SHOWN = 60


def check(
    pool: str,
    options: Mapping[str, Any] | None = None,
    *,
    points: Collection[int] = (),
    expression: str = "",
    quick: bool = False,
) -> Report:
    """Hold a pool to the contract.

    Args:
        pool: The name of an installed pool, or ``"module:Class"``.
        options: What to open it with, beyond what a test asks for.
        points: The numbers of the points to hold it to; by default all.
        expression: Which of the tests to run, as pytest's ``-k`` takes it.
        quick: Do less of what is repeated, for an answer in seconds.

    Raises:
        UsageError: There is no such pool, the kit is not installed, or no test is selected.
    """
    for module in ("pytest", "hypothesis"):
        if find_spec(module) is None:
            raise UsageError(f"the conformance kit needs {module}: pip install 'pools-core[testing]'")
    modules = tuple(point.modules for point in POINTS if not points or point.number in points)
    declared = registry.spec(pool)
    run = _Run(Report(declared.name, pool, declared.traits))
    began = monotonic()
    run.go(Task(pool, patched_as(pool), dict(options or {}), modules, expression, quick))
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


class _Run:
    """One run of the suite, in as many processes as it takes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._waiting: list[str] | None = None
        self._test: str | None = None
        self._last = ""
        self._began = 0.0
        self._seconds_of_failure: dict[int, float] = {}

    def go(self, task: Task) -> None:
        """Run the task, and what is left of it where its process did not come to the end."""
        seconds = SECONDS_FOR_A_TEST
        while True:
            process = SuiteProcess(task, seconds)
            for message in process.messages():
                self._note(message)
                if self._test is not None and self._test not in (self._waiting or ()):
                    self._test = None  # its point has failed for long enough; the others go on in a new process
                    break
            if process.ended.code == _PYTEST_USAGE:
                raise UsageError(process.ended.output.strip().rpartition("\n")[2].removeprefix("ERROR: "))
            if self._waiting is None:
                self._fail_all(task, process.ended)
            elif process.ended.how:
                self._lose(process.ended, self._waiting)
                seconds = SECONDS_AFTER_A_HANG
            if not self._waiting:
                return
            task = replace(task, only=tuple(self._waiting), impatient=task.impatient or not self.report.holds)

    def _note(self, message: dict[str, Any]) -> None:
        event = message["event"]
        if event == "collected":
            self._waiting = message["tests"]
        elif event == "not promised":
            self._of(message["test"]).not_promised[_name(message["test"])] = message["traits"]
        elif event == "begins":
            self._test, self._began = message["test"], monotonic()
        elif event == "failed":
            failure = Failure(_name(message["test"]), message["message"], message["where"], tuple(message["history"]))
            self._of(message["test"]).failures.append(failure)
        elif event == "ended":
            self._count(message["test"])

    def _of(self, test: str) -> PointReport:
        return self.report.of(point_of(test))

    def _count(self, test: str) -> None:
        """Count a test that was run, and leave the rest of its point if that has failed for long enough."""
        assert self._waiting is not None
        self._test, self._last = None, test
        self._waiting.remove(test)
        found = self._of(test)
        found.tests += 1
        if any(failure.test == _name(test) for failure in found.failures):
            number = found.point.number
            spent = self._seconds_of_failure.get(number, 0.0) + monotonic() - self._began
            self._seconds_of_failure[number] = spent
            if spent > SECONDS_OF_FAILURE:
                self._leave(found.point, self._waiting)

    def _leave(self, point: Point, waiting: list[str]) -> None:
        left = [test for test in waiting if point_of(test) is point]
        self._waiting = [test for test in waiting if test not in left]
        self.report.of(point).not_run.extend(_name(test) for test in left)

    def _fail_all(self, task: Task, ended: Ended) -> None:
        """Note that not even the first test came to run."""
        failure = Failure("before the first test", _lost(ended))
        for point in POINTS:
            if point.modules in task.modules:
                self.report.of(point).failures.append(failure)

    def _lose(self, ended: Ended, waiting: list[str]) -> None:
        """Note that a process has ended otherwise than it should, and who is to blame."""
        if self._test is not None:
            self._of(self._test).failures.append(Failure(_name(self._test), _lost(ended)))
            self._count(self._test)
            self._leave(point_of(self._last), self._waiting or [])
        elif waiting:
            self._of(self._last).failures.append(Failure(_name(self._last), _lost(ended)))
        elif self.report.holds:
            # Whatever failed before may well keep the process from ending.
            self.report.of(POINTS[3]).failures.append(Failure("after the last test", _lost(ended)))


def _lost(ended: Ended) -> str:
    # The frames of those who run the tests are in every stack, and tell nothing of the pool.
    noise = ("/_pytest/", "/pluggy/", "<frozen runpy>", "/hypothesis/", "/pools/testing/child.py")
    said = [line for line in ended.output.splitlines() if not any(part in line for part in noise)]
    return "\n".join([f"the process of the test did not survive it: {ended.how}", *said[-_LINES_SHOWN:]])


def _name(test: str) -> str:
    """The name of a test as the report has it: its module and what follows, without the directories."""
    return re.sub(r"^.*/|\.py(?=::)", "", test)
