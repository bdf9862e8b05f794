"""Celery workers against Celery workers: ``python -m benchmarks.workers``.

Twenty thousand tasks that do nothing for each, from a Redis of our own. A worker on our pool and one on Celery's of the
same name are up together, and take turns by a thousand tasks, so that both have what the machine is at that moment; a
turn is over when Redis has all of its tasks acknowledged. The ratio is the median of the ratios of neighbours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import redis
from celery import Celery

from tests.celery import brokers

#: With how many slots each pool is measured.
POOLS = {"prefork": 2, "threads": 8, "gevent": 100, "eventlet": 100, "solo": 1}
#: Tasks in a turn.
TURN = 1000
#: The commands of both, by their node names, which are those of their queues as well.
COMMANDS = {
    "ours@here": ("pools", "worker", "-A", "benchmarks.workers"),
    "theirs@here": ("celery", "-A", "benchmarks.workers", "worker"),
}

app = Celery("benchmarks.workers", broker=os.environ.get("BENCHMARK_BROKER"))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True, worker_redirect_stdouts=False)


@app.task(name="benchmarks.nothing")
def nothing() -> None:
    """Do nothing."""


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description="Celery workers compared.")
    parser.add_argument("-P", "--pool", action="append", choices=POOLS, help="default: all")
    parser.add_argument("-n", "--tasks", type=int, default=20_000, help=f"for each, in turns of {TURN}")
    arguments = parser.parse_args()
    with brokers.redis() as url:
        app.conf.broker_url = f"{url}/0"
        server = redis.Redis.from_url(app.conf.broker_url)
        print("| pool | slots | ours, tasks/s | Celery's, tasks/s | ratio |\n| --- | --- | --- | --- | --- |")
        for pool in arguments.pool or POOLS:
            ours, theirs = _compare(server, pool, max(1, arguments.tasks // TURN))
            ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
            rates = f"{statistics.median(ours):.0f} | {statistics.median(theirs):.0f}"
            print(f"| {pool} | {POOLS[pool]} | {rates} | {ratio:.2f} |", flush=True)
    return 0


def _compare(server: redis.Redis, pool: str, turns: int) -> list[list[float]]:
    """Return the tasks per second of each turn of both."""
    messages = _messages(server)
    with ExitStack() as stack:
        for name in COMMANDS:
            stack.enter_context(_worker(pool, name))
        for name in COMMANDS:  # what happens at a first task only
            _turn(server, name, messages)
        rates = [[_turn(server, name, messages) for name in COMMANDS] for _ in range(turns)]
    return [list(of_one) for of_one in zip(*rates, strict=True)]


def _messages(server: redis.Redis) -> list[bytes]:
    """Return the messages of a turn, each a task of its own: what a worker has prefetched is counted by their tags."""
    server.flushdb()
    for _ in range(TURN):
        nothing.apply_async()
    return [message for message in server.lrange("celery", 0, -1) if isinstance(message, bytes)]


@contextmanager
def _worker(pool: str, name: str) -> Iterator[None]:
    options = ["-P", pool, "-c", str(POOLS[pool]), "-Q", name, "-n", name, "-l", "ERROR", "--without-mingle"]
    environment = {**os.environ, "BENCHMARK_BROKER": app.conf.broker_url}
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *COMMANDS[name], *options], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while not app.control.inspect(timeout=0.5, destination=[name]).ping():
            assert worker.poll() is None, "the worker did not come up"
        yield
    finally:
        worker.kill()
        worker.wait()


def _turn(server: redis.Redis, name: str, messages: list[bytes]) -> float:
    """Have a worker run the tasks of one turn; returns how many there were in a second."""
    began = time.perf_counter()
    server.rpush(name, *messages)
    while server.llen(name) or server.hlen("unacked"):
        time.sleep(0.005)
    return TURN / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
