"""What the supervisor decides is to be done."""

from __future__ import annotations

from dataclasses import dataclass

from pools_prefork.roster import Child


@dataclass(frozen=True, slots=True)
class Start:
    """Start a child."""

    child: Child


@dataclass(frozen=True, slots=True)
class Retire:
    """Let the child exit: it has nothing to do, and gets nothing more."""

    child: Child


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the child, for this reason."""

    child: Child
    reason: str


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Take back, by its slate, what the child has behind its first job."""

    child: Child


@dataclass(frozen=True, slots=True)
class Break:
    """Declare the pool broken: no child comes up."""


Action = Start | Retire | Kill | TakeBack | Break
