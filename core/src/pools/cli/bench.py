"""``pools bench``: what a job costs on a pool, on this machine."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import click

from pools import registry
from pools.cli.output import print_table
from pools.cli.pool_command import PoolCommand
from pools.pool import BasePool

#: How often a flood is measured; the fastest counts, because what else the machine does can only slow it down.
FLOODS = 3

#: How many lone jobs are measured.
LONE = 200


@click.command("bench", cls=PoolCommand)
@click.option("-P", "--pool", metavar="NAME", help="The pool that is measured.")
@click.option("-c", "--concurrency", type=click.IntRange(min=1), metavar="N", help="How many jobs may run at once.")
@click.option("--jobs", type=click.IntRange(min=1), default=20_000, metavar="N", help="How many jobs a flood has.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench(pool: str | None, concurrency: int | None, jobs: int, as_json: bool) -> None:
    """Measure what a job costs on a pool, on this machine.

    The jobs do nothing, so all of it is the pool's: how long it takes from opening it to the first result, how many
    jobs a second go through when many are submitted at once, and how long a job takes that has the pool to itself, from
    its submission to its result.
    """
    began = time.perf_counter()
    with registry.open(pool, concurrency) as opened:
        opened.apply_async(abs, (-1,)).result()
        first = time.perf_counter() - began
        flood = min(_flood(opened, jobs) for _ in range(FLOODS))
        lone = sorted(_lone(opened) for _ in range(LONE))
        report: dict[str, Any] = {
            "pool": opened.name,
            "concurrency": opened.concurrency,
            "jobs": jobs,
            "first_result_seconds": first,
            "jobs_per_second": jobs / flood,
            "lone_job_seconds": {"median": statistics.median(lone), "p95": lone[LONE * 95 // 100]},
        }
    print(json.dumps(report, indent=2)) if as_json else _show(report)


def _flood(pool: BasePool, jobs: int) -> float:
    """Return the seconds from the first submission until the last of so many jobs has its outcome."""
    began = time.perf_counter()
    for _ in range(jobs):
        pool.apply_async(abs, (-1,))
    pool.join()
    return time.perf_counter() - began


def _lone(pool: BasePool) -> float:
    began = time.perf_counter()
    pool.apply_async(abs, (-1,)).result()
    return time.perf_counter() - began


def _show(report: dict[str, Any]) -> None:
    lone = report["lone_job_seconds"]
    rows = [
        ("from opening it to the first result", f"{report['first_result_seconds'] * 1e3:.1f} ms"),
        (f"a flood of {report['jobs']} jobs, best of {FLOODS}", f"{report['jobs_per_second']:,.0f} jobs/s"),
        (f"a lone job, median of {LONE}", f"{lone['median'] * 1e6:.0f} µs"),
        ("a lone job, 95 in 100 take less than", f"{lone['p95'] * 1e6:.0f} µs"),
    ]
    print_table((f"POOL {report['pool']}, {report['concurrency']} AT ONCE", ""), rows)
