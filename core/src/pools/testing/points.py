"""The points of the contract, as the report names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the contract.

    Attributes:
        number: As ``docs/contract.md`` numbers it.
        title: As it names it.
        rests_on: The traits of which a pool promises at least one if it promises the point; without any, the suite
            sees to it that what the point is about is refused.
    """

    number: int
    title: str
    rests_on: tuple[str, ...] = ()

    @property
    def modules(self) -> str:
        """How the names of the suite's modules begin that hold a pool to it."""
        return f"point_{self.number:02}_"


POINTS = (
    Point(1, "One outcome"),
    Point(2, "Accepted first"),
    Point(3, "Callbacks are safe"),
    Point(4, "Life cycle"),
    Point(5, "Time limits", ("soft_timeout", "hard_timeout")),
    Point(6, "Terminate and cancel"),
    Point(7, "Jobs cannot break the pool"),
    Point(8, "Concurrency"),
    Point(9, "Backpressure"),
    Point(10, "Any thread"),
    Point(11, "Tracebacks"),
    Point(12, "Context", ("context",)),
    Point(13, "info and stats"),
    Point(14, "Nothing is ignored"),
    Point(15, "Sizes"),
)


def point_of(test: str) -> Point:
    """The point that a test of the suite, given by pytest's id for it, belongs to."""
    module = test.partition("::")[0].rpartition("/")[2].removesuffix(".py")
    return next(point for point in POINTS if module.startswith(point.modules))
