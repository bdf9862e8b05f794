"""What watching the hub costs: ``python -m benchmarks.blocking``, the same jobs with and without a block limit.

The watch looks ten times in the time of its limit, and each look costs the same. At a limit of one second that is too
little to be told from what else a machine does to a measurement; so it is measured at a tenth of a second, and a tenth
of that is told. Both sides of a round are measured one right after the other, and the order is turned round from one
round to the next; what is told is the median of the rounds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import click

import pools

#: The limit for which the cost is to be known, and the one at which it is measured, in seconds.
LIMIT, MEASURED = 1.0, 0.1

POOLS = ("gevent", "eventlet")


def nothing() -> None:
    """A job that ends at once."""


def turn() -> None:
    """A job that lets every other one have its turn."""
    time.sleep(0)


#: By what they are called, jobs and how many of them take about a fiftieth of a second.
CASES: dict[str, tuple[Callable[[], None], int]] = {
    "jobs that end at once": (nothing, 5_000),
    "jobs that yield": (turn, 1_000),
}

#: How often a round does that.
REPEATS = 12


def seconds(name: str, case: str, limit: float | None) -> float:
    """Return the processor time that so many jobs take, of all threads together."""
    job, count = CASES[case]
    with pools.open(name, 100, block_limit=limit) as pool:
        began = time.process_time()
        for _ in range(REPEATS):
            for _ in range(count):
                pool.apply_async(job)
            pool.join()
        return time.process_time() - began


def measure(name: str, rounds: int) -> dict[str, float]:
    """Return what the limit adds to each case, in percent, in a process that is patched for the pool."""
    added = {}
    for case in CASES:
        ratios = []
        for number in range(rounds):
            sides = {limit: seconds(name, case, limit) for limit in (MEASURED, None)[:: 1 - number % 2 * 2]}
            ratios.append(sides[MEASURED] / sides[None])
        added[case] = 100 * (statistics.median(ratios) - 1) * MEASURED / LIMIT
    return added


@click.command()
@click.argument("names", metavar="[POOL]...", nargs=-1, type=click.Choice(POOLS))
@click.option("--rounds", type=click.IntRange(min=1), default=100, help="How often each side is measured.")
@click.option("--here", type=click.Choice(POOLS), hidden=True, help="Measure in this process, which is patched for it.")
def main(names: tuple[str, ...], rounds: int, here: str | None) -> None:
    """Measure what a block limit of one second costs a green pool."""
    if here:
        print(json.dumps(measure(here, rounds)))
        return
    for name in names or POOLS:
        command = [sys.executable, "-m", "pools", "exec", "-P", name, "-m", "benchmarks.blocking"]
        done = subprocess.run([*command, "--here", name, "--rounds", str(rounds)], stdout=subprocess.PIPE, check=True)
        for case, percent in json.loads(done.stdout).items():
            print(f"{name}, {case}: {percent:+.2f} % of processor time")


if __name__ == "__main__":
    main()
