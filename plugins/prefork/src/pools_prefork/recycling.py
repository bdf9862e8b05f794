"""Which child is to be replaced, and how often one may be started in vain. Pure: the clock is passed in."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds before the next start after so many starts in vain; when they are used up, the pool is broken.
BACK_OFF = (0.0, 0.1, 0.2, 0.4, 0.8)


@dataclass(frozen=True)
class Recycling:
    """When a child retires.

    Attributes:
        max_tasks: After how many jobs.
        max_age: After how many seconds since it came up.
    """

    max_tasks: int | None = None
    max_age: float | None = None

    def tasks_left(self, sent: int) -> int | None:
        """How many more jobs a child may get that was sent so many; None if any number."""
        return None if self.max_tasks is None else self.max_tasks - sent

    def reason(self, sent: int, up_at: float, now: float) -> str | None:
        """Why a child is to be replaced that was sent so many jobs and came up at ``up_at``; None if it is not."""
        if self.max_tasks is not None and sent >= self.max_tasks:
            return "tasks"
        if self.max_age is not None and now - up_at >= self.max_age:
            return "age"
        return None


class Budget:
    """How often in a row children may die before they are up.

    Those that were started together die together, and count as one: whatever keeps one from coming up keeps the others.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._failed_at = 0.0
        #: No child is started before this time.
        self.not_before = 0.0

    @property
    def exhausted(self) -> bool:
        """Whether it has happened too often."""
        return self._failures > len(BACK_OFF)

    def succeed(self) -> None:
        """A child is up."""
        self._failures = 0

    def fail(self, started_at: float, now: float) -> None:
        """A child has died before it was up."""
        if started_at < self._failed_at:
            return
        self._failed_at = now
        self._failures += 1
        if not self.exhausted:
            self.not_before = now + BACK_OFF[self._failures - 1]
