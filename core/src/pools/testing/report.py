"""The report: point by point, what holds, what fails and how, and what the pool does not promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from pools.spec import Traits
from pools.testing.points import POINTS, Point

Verdict = Literal["holds", "fails", "not promised"]

_WIDTH = max(len(point.title) for point in POINTS)


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed.

    Attributes:
        test: Its name in the suite.
        message: What was wrong.
        where: The file and line that found it; empty if the test did not come to say so.
        history: What had been asked of the pool and what came of it, in order, up to the failure.
    """

    test: str
    message: str
    where: str = ""
    history: tuple[str, ...] = ()


@dataclass(slots=True)
class PointReport:
    """What the suite found about one point.

    Attributes:
        point: The point.
        traits: What the pool declares.
        tests: How many tests were run.
        failures: Those of them that failed.
        not_promised: The tests that were not run, each with the traits for want of which.
        not_run: The tests that were not run because the point had failed already, and more of it would take long.
    """

    point: Point
    traits: Traits
    tests: int = 0
    failures: list[Failure] = field(default_factory=list)
    not_promised: dict[str, list[str]] = field(default_factory=dict)
    not_run: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Whether the pool keeps the point."""
        if self.failures:
            return "fails"
        if self.point.rests_on and not any(getattr(self.traits, trait) for trait in self.point.rests_on):
            return "not promised"
        return "holds"

    @property
    def missing(self) -> list[str]:
        """The traits for want of which a part of the point is not promised."""
        return sorted({trait for traits in self.not_promised.values() for trait in traits})

    def line(self) -> str:
        """The point and the verdict in one line."""
        line = f"{self.point.number:>3}  {self.point.title:<{_WIDTH}}  {self.verdict}"
        return f"{line} (not promised: {', '.join(self.missing)})" if self.missing else line

    def as_dict(self) -> dict[str, Any]:
        """The same in values of JSON."""
        return {
            "point": self.point.number,
            "title": self.point.title,
            "verdict": self.verdict,
            "tests": self.tests,
            "failures": [
                {
                    "test": failure.test,
                    "message": failure.message,
                    "where": failure.where,
                    "history": list(failure.history),
                }
                for failure in self.failures
            ],
            "not_promised": [{"test": test, "traits": traits} for test, traits in self.not_promised.items()],
            "not_run": self.not_run,
        }


class Report:
    """What the suite found about a pool.

    Attributes:
        pool: The pool's name.
        reference: How it was asked for.
        seconds: How long that took.
        points: What was found about each point of which anything was run, by its number.
    """

    def __init__(self, pool: str, reference: str, traits: Traits) -> None:
        self.pool = pool
        self.reference = reference
        self.seconds = 0.0
        self.points: dict[int, PointReport] = {}
        self._traits = traits

    def of(self, point: Point) -> PointReport:
        """What was found about a point, to be added to."""
        return self.points.setdefault(point.number, PointReport(point, self._traits))

    @property
    def holds(self) -> bool:
        """Whether no point fails."""
        return all(found.verdict != "fails" for found in self.points.values())

    @property
    def tests(self) -> int:
        """How many tests were run."""
        return sum(found.tests for found in self.points.values())

    def as_dict(self) -> dict[str, Any]:
        """The report in values of JSON."""
        return {
            "pool": self.pool,
            "reference": self.reference,
            "holds": self.holds,
            "tests": self.tests,
            "seconds": round(self.seconds, 3),
            "points": [self.points[number].as_dict() for number in sorted(self.points)],
        }

    def as_text(self) -> str:
        """The report for readers."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"pool {self.pool}: {self.tests} tests in {self.seconds:.1f} s"
        yield ""
        for number in sorted(self.points):
            found = self.points[number]
            yield found.line()
            for failure in found.failures:
                yield from _told(failure)
            if found.not_run:
                yield f"       {len(found.not_run)} more tests of this point were not run"


def _told(failure: Failure) -> Iterator[str]:
    yield f"       {failure.test}"
    for line in failure.message.splitlines():
        yield f"         {line}"
    if failure.where:
        yield f"         at {failure.where}"
    for line in failure.history:
        yield f"           {line}"
