"""Comparisons: what the figures of two sides, round by round, say about each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.catalogue import Clock
from benchmarks.runner import Outcome


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our pool and one peer in one case.

    Attributes:
        group: The group that it was measured in.
        case: Its case.
        unit: The unit of the figures, of which less is better: seconds, or bytes.
        clock: The time that was taken.
        concurrency: How many jobs might run at once.
        ours: The label of our side.
        peer: The label of the other.
        our_figure: The median of our rounds.
        peer_figure: The median of the peer's.
        ratios: For each round, how many times faster, or smaller, we were.
        target: The ratio to be reached, or None.
        missing: Why there are no figures, or None.
    """

    group: str
    case: str
    unit: str
    clock: Clock
    concurrency: int
    ours: str
    peer: str
    our_figure: float | None = None
    peer_figure: float | None = None
    ratios: tuple[float, ...] = ()
    target: float | None = None
    missing: str | None = None

    @property
    def ratio(self) -> float | None:
        """The median of the ratios."""
        return median(self.ratios) if self.ratios else None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None if there is no target, or no figure."""
        ratio = self.ratio
        return None if ratio is None or self.target is None else ratio >= self.target


def comparisons(outcome: Outcome) -> Iterator[Comparison]:
    """Yield our side of a group beside each of its peers: one ratio for each round, of what was measured in it."""
    group = outcome.group
    for peer in group.peers:
        ours, theirs = outcome.figures.get(group.ours.label), outcome.figures.get(peer.entry.label)
        missing = outcome.missing.get(group.ours.label) or outcome.missing.get(peer.entry.label)
        yield Comparison(
            group=group.name,
            case=group.case,
            unit=group.unit,
            clock=group.clock,
            concurrency=group.concurrency,
            ours=group.ours.label,
            peer=peer.entry.label,
            our_figure=median(ours) if ours else None,
            peer_figure=median(theirs) if theirs else None,
            ratios=tuple(their / our for our, their in zip(ours, theirs, strict=True)) if ours and theirs else (),
            target=peer.target,
            missing=missing,
        )
