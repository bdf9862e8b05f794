"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from benchmarks import machine, report, runner
from benchmarks.catalogue import GROUPS, Group
from benchmarks.comparison import comparisons


def _chosen(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> list[Group]:
    chosen = []
    for name in names:
        found = [group for group in GROUPS if name in (group.name, group.case, group.ours.pool)]
        if not found:
            known = dict.fromkeys(word for group in GROUPS for word in (group.case, group.ours.pool))
            raise click.BadParameter(f"nothing is named {name!r}; there are {', '.join(known)} and CASE/POOL")
        chosen += [group for group in found if group not in chosen]
    return chosen or GROUPS


@click.command()
@click.option("--quick", is_flag=True, help="Few rounds of little: whether it works, not how fast it is.")
@click.option(
    "--only",
    "groups",
    metavar="NAME",
    multiple=True,
    callback=_chosen,
    help="A case (jobs, limits, latency, start, echo-bytes, memory, ...), a pool, or CASE/POOL; may be given again.",
)
@click.option(
    "--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures there too."
)
def main(quick: bool, groups: list[Group], json_path: Path | None) -> None:
    """Measure our pools and their peers in one run, and print how they compare.

    A ratio says how many times faster our side is. Exit code 1: a measurement failed; a target that is missed is no
    failure.
    """
    with Console(stderr=True).status("") as status:
        outcomes = [runner.run(group, quick, status.update) for group in groups]
    found = [comparison for outcome in outcomes for comparison in comparisons(outcome)]
    facts = machine.facts()
    report.print_tables(report.open_console(facts), found)
    if json_path is not None:
        report.write_json(json_path, facts, found)
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    if failures:
        raise click.ClickException("\n\n".join(failures))


if __name__ == "__main__":
    main()
