"""What watching the hub costs: ``python -m benchmarks.blocking``, the same jobs with and without a block limit.

Both sides of a round are measured one right after the other, and the order is turned round from one round to the next,
so that whatever else the machine does hits both. A ratio of 1.01 means that jobs cost one in a hundred more with the
limit.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import click

import pools

#: The limit for which the cost is to be known, in seconds.
LIMIT = 1.0

POOLS = ("gevent", "eventlet")


def nothing() -> None:
    """A job that ends at once."""


def turn() -> None:
    """A job that lets every other one have its turn."""
    time.sleep(0)


#: By what they are called, jobs and how many of them take about a third of a second.
CASES: dict[str, tuple[Callable[[], None], int]] = {
    "jobs that end at once": (nothing, 25_000),
    "that yield": (turn, 10_000),
}


def seconds(name: str, case: str, options: dict[str, Any]) -> float:
    """Return the processor time that so many jobs take, of all threads together."""
    job, count = CASES[case]
    with pools.open(name, 100, **options) as pool:
        began = time.process_time()
        for _ in range(count):
            pool.apply_async(job)
        pool.join()
        return time.process_time() - began


def measure(name: str, rounds: int) -> dict[str, float]:
    """Return the ratio of each case, the median of its rounds, in a process that is patched for the pool."""
    ratios = {}
    for case in CASES:
        seconds(name, case, {})
        pairs = []
        for number in range(rounds):
            sides = {
                limit: seconds(name, case, {"block_limit": limit}) for limit in (LIMIT, None)[:: 1 - number % 2 * 2]
            }
            pairs.append(sides[LIMIT] / sides[None])
        ratios[case] = statistics.median(pairs)
    return ratios


@click.command()
@click.argument("names", metavar="[POOL]...", nargs=-1, type=click.Choice(POOLS))
@click.option("--rounds", type=click.IntRange(min=1), default=40, help="How often each side is measured.")
@click.option("--here", type=click.Choice(POOLS), hidden=True, help="Measure in this process, which is patched for it.")
def main(names: tuple[str, ...], rounds: int, here: str | None) -> None:
    """Measure what a block limit of one second costs a green pool."""
    if here:
        print(json.dumps(measure(here, rounds)))
        return
    for name in names or POOLS:
        command = [sys.executable, "-m", "pools", "exec", "-P", name, "-m", "benchmarks.blocking"]
        done = subprocess.run([*command, "--here", name, "--rounds", str(rounds)], stdout=subprocess.PIPE, check=True)
        for case, ratio in json.loads(done.stdout).items():
            print(f"{name}, {case}: {ratio:.4f}")


if __name__ == "__main__":
    main()
