"""The runner: rounds of measurements, each in a fresh process, the sides of a group in turn."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pools
from benchmarks.catalogue import Entry, Group
from pools.errors import PoolsError

ROOT = Path(__file__).resolve().parent.parent
QUICK_ROUNDS = 2
#: Seconds after which a measurement counts as hung.
PATIENCE = 120


class MeasurementError(Exception):
    """A measurement failed; the text says which, and how."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a group.

    Attributes:
        group: The group.
        figures: By label of the entry, the median of the samples of each round, in the order of the rounds.
        missing: By label of the entry, why it was not measured.
        failures: What failed, in full.
    """

    group: Group
    figures: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def run(group: Group, quick: bool, tell: Callable[[str], None]) -> Outcome:
    """Measure a group: in each round every side once, in an order that is turned round from one round to the next.

    Args:
        group: What to measure.
        quick: Whether to measure little.
        tell: Called with a line about what is measured now.
    """
    outcome = Outcome(group)
    for entry in (group.ours, *(peer.entry for peer in group.peers)):
        reason = why_missing(entry)
        if reason is None:
            outcome.figures[entry.label] = []
        else:
            outcome.missing[entry.label] = reason
    for number, entry in _turns(group, QUICK_ROUNDS if quick else group.rounds):
        if entry.label in outcome.figures and group.ours.label in outcome.figures:
            tell(f"{group.name}, round {number}: {entry.label}")
            try:
                outcome.figures[entry.label].append(median(measure(group, entry, quick)))
            except MeasurementError as error:
                outcome.failures.append(str(error))
                outcome.missing[entry.label] = str(error).splitlines()[-1]
                del outcome.figures[entry.label]
    return outcome


def why_missing(entry: Entry) -> str | None:
    """Return why an entry cannot be measured here; None if it can."""
    for distribution in entry.needs:
        try:
            importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            return f"{distribution} is not installed"
    if entry.patch == "ours":
        try:
            pools.spec(entry.pool)
        except PoolsError as error:
            return str(error)
    return None


def measure(group: Group, entry: Entry, quick: bool) -> list[float]:
    """Measure one side in a process of its own; returns the samples.

    Raises:
        MeasurementError: The process failed.
    """
    request = {
        **asdict(entry),
        "measurement": group.measurement,
        "clock": group.clock,
        "concurrency": group.concurrency,
        "quick": quick,
    }
    samples: list[float] = call("benchmarks.cases", request)
    return samples


def call(module: str, request: dict[str, Any]) -> Any:
    """Have ``module.measure(request)`` called in a fresh process, and return what it gives.

    Raises:
        MeasurementError: The process failed.
    """
    # What libraries warn of is not the matter here.
    words = ["benchmarks.measure", module, json.dumps(request)]
    command = [sys.executable, "-W", "ignore", "-m", *words]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise MeasurementError(f"{' '.join(words)} did not end within {PATIENCE} s") from error
    if done.returncode:
        raise MeasurementError(f"{' '.join(words)} ended with code {done.returncode}:\n{done.stderr.strip()}")
    return json.loads(done.stdout)


def _turns(group: Group, rounds: int) -> Iterator[tuple[int, Entry]]:
    entries = [group.ours, *(peer.entry for peer in group.peers)]
    for number in range(1, rounds + 1):
        for entry in entries:
            yield number, entry
        entries.reverse()
