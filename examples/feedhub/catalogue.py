"""The thousand feeds: what feed number N is, for the server that serves it and for the demo that checks the answer.

Everything follows from the number, so that two processes agree without telling each other.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Iterator
from dataclasses import dataclass

#: How long a hanging feed keeps its reader waiting, in seconds: longer than any time limit one would give a feed.
HANG = 30.0


class Kind(enum.Enum):
    """What the server does when a feed is asked for."""

    GOOD = "good"
    SLOW = "slow"
    MISSING = "missing"
    FAILING = "failing"
    BROKEN = "broken"
    RESET = "reset"
    HANGING = "hanging"


#: The feeds that hang. They come early, so that waiting for their time limit is over when the rest is done.
_HANGING = frozenset({9, 19, 29})

#: What is special about a feed, by the last two digits of its number.
_SPECIAL = {
    5: Kind.SLOW,
    55: Kind.SLOW,
    11: Kind.MISSING,
    41: Kind.MISSING,
    71: Kind.MISSING,
    23: Kind.FAILING,
    73: Kind.FAILING,
    37: Kind.BROKEN,
    87: Kind.BROKEN,
    47: Kind.RESET,
    97: Kind.RESET,
}


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of the catalogue.

    Attributes:
        number: Its number, from 0.
        kind: What the server does when it is asked for.
        format: ``"rss"`` (2.0) or ``"atom"``.
        title: The title of the feed.
        entries: How many entries it has.
        latency: How long the server takes before it answers, in seconds.
    """

    number: int
    kind: Kind
    format: str
    title: str
    entries: int
    latency: float

    @property
    def path(self) -> str:
        """Where the server has it."""
        return f"/feeds/{self.number}.{self.format}"


def feed(number: int) -> Feed:
    """Return feed ``number``."""
    chance = random.Random(number)
    kind = Kind.HANGING if number in _HANGING else _SPECIAL.get(number % 100, Kind.GOOD)
    latency = chance.uniform(0.05, 0.5)
    if kind is Kind.SLOW:
        latency += 0.75
    elif kind is Kind.HANGING:
        latency = HANG
    return Feed(
        number=number,
        kind=kind,
        format="atom" if number % 3 == 0 else "rss",
        title=f"Señales & <Noise> №{number}",
        entries=chance.randint(20, 60),
        latency=latency,
    )


def feeds(count: int) -> Iterator[Feed]:
    """Yield the first ``count`` feeds."""
    return map(feed, range(count))
