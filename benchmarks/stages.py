"""What a job costs by stage in each of our pools: ``python -m benchmarks.stages``.

A job that does nothing, in a pool of one slot; the median of many jobs for each stage. The clock is read at the seams
between the stages (:mod:`benchmarks.seams`), and reading it costs something too: as much as the stage ``call`` shows,
in which nothing happens between two readings, and which is therefore subtracted from every other stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import click
from rich.table import Table

import pools
from benchmarks import machine, report, runner

JOBS = 20_000
#: Pools that run a job inside ``apply_async``.
INLINE = ("solo",)
#: Pools that run it in another process.
ELSEWHERE = ("prefork",)

STAGES = {
    "apply": "apply_async: the job is made and queued, its context copied",
    "accept": "the slot takes the job and calls its accept callback",
    "context": "the job's context is entered",
    "settle": "the job gets its outcome, and its callback is called",
    "next": "the slot looks for the next job, or becomes free",
}


PROCESS_STAGES = {
    "apply": "host: apply_async, the job is made and queued",
    "loop": "host: the loop's thread sends the job, reads its reply and calls its callbacks",
    "enter": "child: from the job's claim to its target: arguments, context",
    "reply": "child: from the target's end to the next claim: the reply is written",
}


def medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median seconds of each stage, without what reading the clock costs, and of a whole job."""
    reading = median(samples["call"])
    stages = {name: max(0.0, median(samples[name]) - reading) for name in STAGES}
    return {**stages, "reading": reading, "sum": sum(stages.values()), "whole": median(samples["whole"])}


@click.command()
def main() -> None:
    """Print what a job costs by stage in each installed pool of ours."""
    console = report.open_console(machine.facts())
    try:
        console.print(_slots_table())
        if set(ELSEWHERE) & set(pools.names()):
            console.print(_processes_table())
    except runner.MeasurementError as error:
        raise click.ClickException(str(error)) from error


def _slots_table() -> Table:
    table = Table(title="What a job that does nothing costs, by stage, in a pool of one slot", title_justify="left")
    table.add_column("stage")
    columns = []
    for pool in (name for name in pools.names() if name not in ELSEWHERE):
        request = {"pool": pool, "patch": "ours", "inline": pool in INLINE, "jobs": JOBS}
        columns.append(medians(runner.call("benchmarks.seams", request)))
        table.add_column(pool, justify="right")
    table.add_column("")
    rows = {
        **STAGES,
        "sum": "of these",
        "whole": "a job in a flood, measured from outside: garbage is collected, and slots are switched to",
        "reading": "one reading of the clock, which is subtracted above",
    }
    for name, meaning in rows.items():
        table.add_row(name, *(report.duration(column[name]) for column in columns), meaning)
    return table


def _processes_table() -> Table:
    table = Table(title="The same in prefork, in the host and in its one child", title_justify="left")
    table.add_column("stage")
    columns = []
    for name, limits in (("prefork", False), ("with limits", True)):
        columns.append(runner.call("benchmarks.process_seams", {"pool": "prefork", "patch": None, "limits": limits}))
        table.add_column(name, justify="right")
    table.add_column("")
    for name, meaning in PROCESS_STAGES.items():
        table.add_row(name, *(report.duration(column[name]) for column in columns), meaning)
    return table


if __name__ == "__main__":
    main()
