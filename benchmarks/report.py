"""The report: tables for a reader, and JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.comparison import Comparison

TITLES = {
    "jobs": "Jobs that do nothing, in a flood",
    "limits": "The same with a soft and a hard limit on every job, beside ours without",
    "latency": "One lone job, from apply to its outcome in the caller",
    "start": "Opening a pool, to its first outcome in the caller",
    "echo-bytes": "1 MiB of bytes to a job and back, for each of several at once",
    "echo-bytearray": "The same with a bytearray",
    "echo-numpy": "The same with a NumPy array",
    "memory": "Memory of an idle child that has run jobs (proportional set size)",
}


#: Characters to a line where no terminal sets that.
WIDTH = 140


def open_console(facts: dict[str, str]) -> Console:
    """Return the console of a report, which begins with the facts about the machine."""
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    console.print(", ".join(f"{name} {value}" for name, value in facts.items()), highlight=False)
    return console


def print_tables(console: Console, found: Sequence[Comparison]) -> None:
    """Print a table for each case."""
    for case, title in TITLES.items():
        rows = [comparison for comparison in found if comparison.case == case]
        if rows:
            console.print(_table(title, rows))


def write_json(path: Path, facts: dict[str, str], found: Sequence[Comparison]) -> None:
    """Write everything that the tables are made from."""
    report = {
        "facts": facts,
        "comparisons": [
            {**asdict(comparison), "ratio": comparison.ratio, "reached": comparison.reached} for comparison in found
        ],
    }
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def duration(seconds: float | None) -> str:
    """A duration with three digits and its unit."""
    if seconds is None:
        return "-"
    unit, factor = ("ms", 1e3) if seconds >= 1e-3 else ("µs", 1e6)
    digits = f"{seconds * factor:#.3g}".rstrip(".")
    return f"{digits} {unit}"


def size(count: float) -> str:
    """A number of bytes with three digits and its unit."""
    return f"{count / 2**20:#.3g} MiB"


def _table(title: str, rows: Sequence[Comparison]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("ours", "peer"):
        table.add_column(heading)
    table.add_column("clock")
    for heading in ("slots", "ours", "peer", "ratio", "spread", "target"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.ours, row.peer, row.clock, str(row.concurrency), *_figures(row))
    return table


def _figures(row: Comparison) -> tuple[str, ...]:
    if row.missing is not None:
        return ("-", "-", "-", "-", f"not measured: {row.missing}")
    spread = f"{min(row.ratios):.2f}-{max(row.ratios):.2f}"
    ours, peer = (
        size(figure) if row.unit == "B" and figure is not None else duration(figure)
        for figure in (row.our_figure, row.peer_figure)
    )
    return (ours, peer, f"{row.ratio:.2f}", spread, _verdict(row))


def _verdict(row: Comparison) -> str:
    if row.target is None:
        return ""
    return f"{row.target:.3g} {'reached' if row.reached else 'missed'}"
