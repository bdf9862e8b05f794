"""One child, as the supervisor knows it: its state, and the jobs that it was sent."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from typing import Any


class ChildState(enum.Enum):
    """Where a child is in its life."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    RETIRING = "retiring"
    EXITED = "exited"

    # Members are unique; that of Enum is written in Python, and each job looks into the table twice.
    __hash__ = object.__hash__


#: Which states a child may go to from each state: it is up when it is idle for the first time.
CHILD_MOVES: Mapping[ChildState, frozenset[ChildState]] = {
    ChildState.STARTING: frozenset({ChildState.IDLE, ChildState.RETIRING, ChildState.EXITED}),
    ChildState.IDLE: frozenset({ChildState.BUSY, ChildState.RETIRING, ChildState.EXITED}),
    ChildState.BUSY: frozenset({ChildState.IDLE, ChildState.EXITED}),
    ChildState.RETIRING: frozenset({ChildState.EXITED}),
    ChildState.EXITED: frozenset(),
}


class Child:
    """A child, known by its number, which is never used again.

    Attributes:
        number: Its number.
        state: Where it is in its life.
        hand: The jobs that it was sent and has not ended, in order: it runs the first one, or is about to.
        first: The position of the first of them. Positions count what was sent to the child, from 1.
        sent: The position of the job that was sent last.
        tasks: How many jobs it was sent, less those taken back.
        done: How many jobs it has ended.
        window: How many jobs it may have at a time.
        revoked: Whether jobs were taken back of which the child has not said that it let them go.
        limbo: Whether it began the last of them, or let it go, at that very moment: whichever it says first.
        due: Why it is to be replaced; None if it is not.
        killed: Why it was killed; None if it was not.
        started_at: When it was started.
        up_at: When it came up.
        was_retired: Whether it was told to exit, having nothing to do.
        moved_at: When it was sent a job while it had none, or has ended one, or was told to exit.
    """

    __slots__ = (
        "done",
        "due",
        "first",
        "hand",
        "killed",
        "limbo",
        "moved_at",
        "number",
        "revoked",
        "sent",
        "started_at",
        "state",
        "tasks",
        "up_at",
        "was_retired",
        "window",
    )

    def __init__(self, number: int, now: float) -> None:
        self.number = number
        self.state = ChildState.STARTING
        self.hand: deque[Any] = deque()
        self.first = 1
        self.sent = self.tasks = self.done = 0
        self.window = 1
        self.revoked = self.limbo = False
        self.was_retired = False
        self.due: str | None = None
        self.killed: str | None = None
        self.started_at = self.moved_at = now
        self.up_at: float | None = None

    def __str__(self) -> str:
        return f"child {self.number}"

    def __repr__(self) -> str:
        return f"<{self}: {self.state.value}, {len(self.hand)} jobs>"

    def move(self, state: ChildState) -> None:
        """Go to another state.

        Raises:
            RuntimeError: That is no legal move.
        """
        if state not in CHILD_MOVES[self.state]:
            raise RuntimeError(f"{self} is {self.state.value} and cannot become {state.value}")
        self.state = state

    @property
    def works(self) -> bool:
        """Whether it is up and neither retiring nor killed."""
        return self.killed is None and (self.state is ChildState.IDLE or self.state is ChildState.BUSY)

    def position_of(self, job: Any) -> int:
        """The position of a job that it has.

        Raises:
            ValueError: It does not have it.
        """
        return self.first + self.hand.index(job)

    def give(self, jobs: list[Any], now: float) -> None:
        """It is sent these jobs."""
        if not self.hand:
            self.move(ChildState.BUSY)
            self.first = self.sent + 1
            self.moved_at = now
        self.hand.extend(jobs)
        self.sent += len(jobs)
        self.tasks += len(jobs)

    def end_first(self) -> Any:
        """It has ended the first job that it had; returns that job."""
        job = self.hand.popleft()
        self.first += 1
        self.done += 1
        if not self.hand:
            self.move(ChildState.IDLE)
            if self.limbo:
                self.revoked = self.limbo = False
        return job

    @property
    def last(self) -> int:
        """The position of the last job that it has; that before the first one if it has none."""
        return self.first + len(self.hand) - 1

    def may_take_back(self, first: int, claimed: int) -> bool:
        """Whether its jobs from position ``first`` on can be revoked, when it has begun that at ``claimed`` last.

        It can be done once more before the child has said that it let the later ones go, but not while it is unknown
        whether there is anything that it will say that of.
        """
        return claimed < self.sent and first <= self.last and not self.limbo

    def take_back(self, first: int) -> list[Any]:
        """Take back what it has from position ``first`` on, in order."""
        jobs = [self.hand.pop() for _ in range(self.first + len(self.hand) - max(first, self.first))]
        self.tasks -= len(jobs)
        if jobs and not self.hand and self.state is ChildState.BUSY:
            self.move(ChildState.IDLE)
        return jobs[::-1]
