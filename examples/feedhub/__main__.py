"""The demonstration: a thousand feeds through ``pools run``, on one pool after the other.

    python -m examples.feedhub [--pool NAME -c N]... [--feeds N] [--timeout SECONDS]

A pool that has no hard limits is spared the feeds that hang.

Exit code 0: every job of every pool ended as it had to; 1: one did not; 2: there is nothing to run it on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pools
from examples.feedhub.catalogue import Feed, Kind, feeds
from examples.feedhub.truth import Record, endings, lies
from pools.errors import PoolsError

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent

#: The pools, with a concurrency that fits them for this work, which is to wait for sockets: greenlets are cheap for
#: that, threads are less so, and processes the least.
_FITTING = {"gevent": 500, "eventlet": 500, "threads": 200, "prefork": 16}
_SHOWN_LIES = 10


@dataclass(frozen=True, slots=True)
class Run:
    """What one pool made of the feeds.

    Attributes:
        pool: The name of the pool.
        concurrency: How many feeds it fetched at once.
        seconds: How long the command took, from its start to its end.
        code: Its exit code.
        records: What it recorded.
    """

    pool: str
    concurrency: int
    seconds: float
    code: int
    records: Sequence[Record]

    def rate(self) -> float:
        """Return how many feeds were settled per second, but for the hanging ones, which wait for their limit."""
        settled = [record for record in self.records if record["outcome"] != "timed out"]
        if not settled:
            return 0.0
        first: float = min(record["started"] for record in settled)
        last: float = max(record["started"] + record["seconds"] for record in settled)
        return len(settled) / (last - first)


@contextlib.contextmanager
def serving(count: int) -> Iterator[str]:
    """Run a server of ``count`` feeds; gives its address."""
    command = [sys.executable, "-m", "examples.feedhub.server", "--feeds", str(count)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        greeting, _, address = server.stdout.readline().rstrip().rpartition(" ")
        if greeting != "listening on":
            raise SystemExit(f"the server ended at its start, with exit code {server.wait()}")
        # Leaving the block closes its standard input, at which it ends.
        yield f"http://{address}"


def has_limits(pool: str) -> bool:
    """Whether a pool ends a job that hangs; of one that cannot be used, the command will say so."""
    try:
        return pools.spec(pool).traits.hard_timeout is not None
    except PoolsError:
        return True


def fetch_all(pool: str, concurrency: int, urls: Path, timeout: float | None) -> Run:
    """Fetch and parse what ``urls`` lists, through ``pools run``; it shows its progress on standard error."""
    output = urls.with_name(f"{pool}.jsonl")
    command = [sys.executable, "-m", "pools", "run", "feeds:fetch", "-P", pool, "-c", str(concurrency)]
    command += ["--input", str(urls), "--output", str(output)]
    if timeout is not None:
        command += ["--timeout", str(timeout)]
    started = time.monotonic()
    code = subprocess.run(command, cwd=_HERE, check=False).returncode
    seconds = time.monotonic() - started
    lines = output.read_text("utf-8").splitlines() if output.exists() else []
    return Run(pool, concurrency, seconds, code, [json.loads(line) for line in lines])


def report(run: Run, expected: Sequence[Feed]) -> bool:
    """Print what came of ``run``; returns whether all of it is true."""
    print(f"\n{run.pool}, {run.concurrency} at a time: {run.rate():.0f} feeds per second ({run.seconds:.1f} s in all)")
    for words, count in endings(run.records).most_common():
        print(f"  {count:5}  {words}")
    found = lies(expected, run.records)
    # The command has to say by its exit code that some jobs failed.
    code = 0 if all(feed.kind in (Kind.GOOD, Kind.SLOW) for feed in expected) else 1
    if run.code != code:
        found.append(f"pools run ended with exit code {run.code}, not {code}")
    for line in found[:_SHOWN_LIES]:
        print(f"  WRONG: {line}")
    if len(found) > _SHOWN_LIES:
        print(f"  WRONG: and {len(found) - _SHOWN_LIES} more")
    if not found:
        print("  all as the server had it", flush=True)
    return not found


def demonstrate(chosen: Sequence[tuple[str, int]], count: int, timeout: float) -> bool:
    """Run the demonstration on each of the ``chosen`` pools; returns whether all of it is true."""
    with serving(count) as server, tempfile.TemporaryDirectory(prefix="feedhub-") as folder:
        urls = Path(folder, "urls.txt")
        verdicts = []
        for pool, concurrency in chosen:
            limited = has_limits(pool)
            expected = [feed for feed in feeds(count) if limited or feed.kind is not Kind.HANGING]
            urls.write_text("".join(f"{server}{feed.path}\n" for feed in expected), "utf-8")
            print(f"\n{len(expected)} feeds through {pool}, {concurrency} at a time:", file=sys.stderr, flush=True)
            verdicts.append(report(fetch_all(pool, concurrency, urls, timeout if limited else None), expected))
    return all(verdicts)


def main() -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.feedhub", description=__doc__.split("\n\n")[0])
    parser.add_argument("--pool", "-P", action="append", help="a pool to run it on (may be given again)")
    parser.add_argument("-c", dest="concurrency", action="append", type=int, help="how many at once, for each --pool")
    parser.add_argument("--feeds", type=int, default=1000, help="how many feeds (%(default)s)")
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds that one feed may take (%(default)s)")
    given = parser.parse_args()
    names = given.pool or [name for name in _FITTING if name in pools.names()]
    if not names:
        parser.error(f"none of the pools {', '.join(_FITTING)} is installed; --pool chooses another")
    numbers = given.concurrency or [_FITTING.get(name, 100) for name in names]
    if len(numbers) != len(names):
        parser.error(f"-c is given {len(numbers)} times, for {len(names)} pools")
    return 0 if demonstrate(list(zip(names, numbers, strict=True)), given.feeds, given.timeout) else 1


if __name__ == "__main__":
    sys.exit(main())
