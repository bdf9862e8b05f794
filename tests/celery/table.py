"""The table of behaviours and pools, ours beside Celery's: ``python -m tests.celery.table``.

Starts real workers on a Redis of its own, and takes a quarter of an hour.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.celery import brokers
from tests.celery.behaviours import ALONE, TOGETHER, concurrency
from tests.celery.lab import Lab

POOLS = ("prefork", "threads", "gevent", "eventlet", "solo")


def main() -> int:
    """Try everything, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.celery.table", description="Behaviours of workers.")
    parser.add_argument("-P", "--pool", action="append", help="default: ours, all of them")
    parser.add_argument("-k", action="append", help="which behaviours, by name; default: all")
    arguments = parser.parse_args()
    pools = arguments.pool or POOLS
    columns: dict[tuple[str, bool], dict[str, str]] = {}
    for pool in pools:
        for ours in (True, False):
            columns[pool, ours] = column = {}
            for name, verdict in _try_all(pool, ours, arguments.k):
                column[name] = verdict
                print(f"{pool}, {'ours' if ours else 'celery'}: {name}: {verdict}", flush=True)
    header = [f"{pool}: ours | Celery's" for pool in pools]
    print("\n| behaviour |", " | ".join(header), "|\n|", " | ".join(["---"] * (1 + 2 * len(pools))), "|")
    for behaviour in (*TOGETHER, *ALONE):
        name = behaviour.__name__
        cells = [columns[pool, ours].get(name, "") for pool in pools for ours in (True, False)]
        if any(cells):
            print(f"| {(behaviour.__doc__ or '').rstrip('.')} |", " | ".join(cells), "|")
    return 0


def _try_all(pool: str, ours: bool, which: list[str] | None) -> Iterator[tuple[str, str]]:
    together = [behaviour for behaviour in TOGETHER if not which or behaviour.__name__ in which]
    alone = [behaviour for behaviour in ALONE if not which or behaviour.__name__ in which]
    yield from _try(pool, ours, together, concurrency(pool))
    for behaviour in alone:
        options = list(ALONE[behaviour]) or concurrency(pool)
        yield from _try(pool, ours, [behaviour], ["-c", "1", *options[2:]] if pool == "solo" else options)


def _try(
    pool: str, ours: bool, behaviours: Sequence[Callable[[Lab], str]], options: list[str]
) -> Iterator[tuple[str, str]]:
    with brokers.redis() as url, tempfile.TemporaryDirectory() as folder:
        lab = None
        for behaviour in behaviours:
            if lab is None or lab.process.poll() is not None:
                lab = Lab(Path(folder), f"{url}/0", f"{url}/1", pool, *options, ours=ours).wait_until_up()
                lab.soon = 5.0
            try:
                verdict = behaviour(lab)
            except Exception as error:
                verdict = f"{type(error).__name__}"
                lab.close()
            yield behaviour.__name__, verdict
        if lab is not None:
            lab.close()


if __name__ == "__main__":
    sys.exit(main())
