"""One run of the suite: its tests, the processes that share them, and what is told of each."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any

from pools.errors import PoolsError, UsageError
from pools.testing.points import POINTS, Point, point_of
from pools.testing.process import Ended, SuiteProcess, Task
from pools.testing.report import Failure, PointReport, Report

#: Seconds that a test may take, and that the next ones may once one has not ended in time.
SECONDS_FOR_A_TEST, SECONDS_AFTER_A_HANG = 60.0, 15.0

#: Seconds of failing tests after which no more tests of a point are run.
SECONDS_OF_FAILURE = 8.0

#: How many tests are worth a process more.
TESTS_FOR_A_PROCESS = 20

#: The exit code of pytest where it could not use what it was given.
_PYTEST_USAGE = 4

#: As much of what a process wrote is shown as tells why it ended.
_LINES_SHOWN = 60


class Run:
    """One run of the suite.

    Args:
        report: What to note it in.
        task: What each process is to do.
        processes: How many may share the tests.
    """

    def __init__(self, report: Report, task: Task, processes: int) -> None:
        self.report = report
        self.seconds_for_a_test = SECONDS_FOR_A_TEST
        self._task = task
        self._processes = processes
        #: The tests that no process has been given; None until one has told which there are.
        self._waiting: list[str] | None = None
        self._seconds_of_failure: dict[int, float] = defaultdict(float)
        self._lock = threading.RLock()
        self._lines: list[Future[None]] = []

    def go(self) -> None:
        """Run the tests."""
        with ThreadPoolExecutor(self._processes) as self._executor:
            # Of a selection nobody knows yet whether it is worth more than one.
            self._begin(1 if self._task.expression else self._processes)
            try:
                for line in self._lines:  # it may grow: the first process tells how many tests there are
                    line.result()
            except BaseException:
                self._waiting = []
                raise

    def _begin(self, processes: int) -> None:
        with self._lock:
            while len(self._lines) < processes:
                self._lines.append(self._executor.submit(_Line(self).go))

    @property
    def task(self) -> Task:
        """What a process that begins now is to do."""
        return replace(self._task, impatient=not self.report.holds)

    @property
    def is_over(self) -> bool:
        """Whether there is no test left to be given."""
        return not self._waiting

    def collected(self, tests: list[str]) -> None:
        """Take what a process tells first."""
        with self._lock:
            if self._waiting is None:
                self._waiting = tests
                self._begin(min(self._processes, len(tests) // TESTS_FOR_A_PROCESS + 1))

    def next(self) -> str | None:
        """Take a test, for a process to run; None if there is none."""
        with self._lock:
            return self._waiting.pop(0) if self._waiting else None

    def of(self, test: str) -> PointReport:
        """The report of the point that a test is about."""
        with self._lock:
            return self.report.of(point_of(test))

    def failed(self, test: str, message: str, where: str = "", history: Sequence[str] = ()) -> None:
        """Note that a test has failed."""
        self.of(test).failures.append(Failure(_name(test), message, where, tuple(history)))

    def ended(self, test: str, seconds: float) -> None:
        """Count a test that was run, and leave the rest of its point if that has failed for long enough."""
        found = self.of(test)
        with self._lock:
            found.tests += 1
            if any(failure.test == _name(test) for failure in found.failures):
                self._seconds_of_failure[found.point.number] += seconds
                if self._seconds_of_failure[found.point.number] > SECONDS_OF_FAILURE:
                    self.leave(found.point)

    def leave(self, point: Point) -> None:
        """Run no more tests of a point."""
        with self._lock:
            left = [test for test in self._waiting or () if point_of(test) is point]
            self._waiting = [test for test in self._waiting or () if test not in left]
        self.report.of(point).not_run.extend(map(_name, left))

    def never_began(self, ended: Ended) -> None:
        """Note that no process comes to tell which tests there are."""
        failure = Failure("before the first test", _lost(ended))
        with self._lock:
            if self.report.holds:  # else one of the others has said so
                for point in POINTS:
                    if point.modules in self._task.modules:
                        self.report.of(point).failures.append(failure)


class _Line:
    """A line of processes, each of which goes on where the one before did not come to the end."""

    def __init__(self, run: Run) -> None:
        self._run = run
        #: The test that is being run, and the one before.
        self._test: str | None = None
        self._last: str | None = None
        self._began = 0.0

    def go(self) -> None:
        """Run tests, until there are no more."""
        run = self._run
        while True:
            self._last = None
            process = SuiteProcess(run.task, run.seconds_for_a_test)
            began = False
            for message in process.messages():
                began = began or message["event"] == "collected"
                self._note(message, process)
            if process.ended.code == _PYTEST_USAGE:
                raise UsageError(process.ended.output.strip().rpartition("\n")[2].removeprefix("ERROR: "))
            if not began:
                run.never_began(process.ended)
                return
            if process.ended.how:
                self._lose(process.ended)
            if run.is_over:
                return

    def _note(self, message: dict[str, Any], process: SuiteProcess) -> None:
        event, run = message["event"], self._run
        if event == "collected":
            run.collected(message["tests"])
            process.give(run.next())
        elif event == "unusable":
            raise PoolsError(f"the conformance kit cannot be imported here:\n{message['text']}")
        elif event == "not promised":
            run.of(message["test"]).not_promised[_name(message["test"])] = message["traits"]
        elif event == "begins":
            self._test, self._began = message["test"], monotonic()
        elif event == "failed":
            run.failed(message["test"], message["message"], message["where"], message["history"])
        elif event == "ended":
            run.ended(message["test"], monotonic() - self._began)
            self._test, self._last = None, message["test"]
            process.give(run.next())

    def _lose(self, ended: Ended) -> None:
        """Note that a process has ended otherwise than it should, and who is to blame."""
        run = self._run
        run.seconds_for_a_test = SECONDS_AFTER_A_HANG
        if self._test is not None:
            run.failed(self._test, _lost(ended))
            run.ended(self._test, 0.0)
            run.leave(point_of(self._test))
            self._test = None
        elif not run.is_over and self._last is not None:
            run.failed(self._last, _lost(ended))
        elif run.report.holds:
            # Whatever failed before may well keep the process from ending.
            run.report.of(POINTS[3]).failures.append(Failure("after the last test", _lost(ended)))


def _lost(ended: Ended) -> str:
    # The frames of those who run the tests are in every stack, and tell nothing of the pool.
    noise = ("/_pytest/", "/pluggy/", "<frozen runpy>", "/hypothesis/", "/pools/testing/child.py")
    said = [line for line in ended.output.splitlines() if not any(part in line for part in noise)]
    return "\n".join([f"the process of the test did not survive it: {ended.how}", *said[-_LINES_SHOWN:]])


def _name(test: str) -> str:
    """The name of a test as the report has it: its module and what follows, without the directories."""
    return re.sub(r"^.*/|\.py(?=::)", "", test)
