"""Celery workers against Celery workers: ``python -m benchmarks.workers``.

Twenty thousand tasks that do nothing, from a Redis of our own; a worker on our pool and one on Celery's of the same
name take turns. Each is up before the tasks are there; the time is over when Redis has all of them acknowledged.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

import redis
from celery import Celery

from tests.celery import brokers

#: With how many slots each pool is measured.
POOLS = {"prefork": 2, "threads": 8, "gevent": 100, "eventlet": 100, "solo": 1}

app = Celery("benchmarks.workers", broker=os.environ.get("BENCHMARK_BROKER"))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True, worker_redirect_stdouts=False)


@app.task(name="benchmarks.nothing")
def nothing() -> None:
    """Do nothing."""


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description="Celery workers compared.")
    parser.add_argument("-P", "--pool", action="append", choices=POOLS, help="default: all")
    parser.add_argument("-n", "--tasks", type=int, default=20_000)
    parser.add_argument("-r", "--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with brokers.redis() as url:
        app.conf.broker_url = f"{url}/0"
        server = redis.Redis.from_url(app.conf.broker_url)
        print("| pool | slots | ours, tasks/s | Celery's, tasks/s | ratio |\n| --- | --- | --- | --- | --- |")
        for pool in arguments.pool or POOLS:
            rates: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(arguments.rounds):
                for ours, found in rates.items():
                    found.append(arguments.tasks / _measure(server, pool, ours, arguments.tasks))
            mine, theirs = statistics.median(rates[True]), statistics.median(rates[False])
            print(f"| {pool} | {POOLS[pool]} | {mine:.0f} | {theirs:.0f} | {mine / theirs:.2f} |", flush=True)
    return 0


def _measure(server: redis.Redis, pool: str, ours: bool, count: int) -> float:
    server.flushdb()
    nothing.apply_async()
    message = server.lpop("celery")
    assert isinstance(message, bytes)
    command = ["pools", "worker", "-A", "benchmarks.workers"]
    if not ours:
        command = ["celery", "-A", "benchmarks.workers", "worker"]
    options = ["-P", pool, "-c", str(POOLS[pool]), "-Q", "idle", "-l", "ERROR", "--without-mingle"]
    environment = {**os.environ, "BENCHMARK_BROKER": app.conf.broker_url}
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *command, *options], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        while not app.control.inspect(timeout=0.5).ping():
            assert worker.poll() is None, "the worker did not come up"
        for _ in range(0, count, 1000):
            server.rpush("celery", *[message] * 1000)
        began = time.perf_counter()
        app.control.add_consumer("celery")
        time.sleep(0.2)
        while server.llen("celery") or server.hlen("unacked"):
            time.sleep(0.02)
        return time.perf_counter() - began
    finally:
        worker.kill()
        worker.wait()


if __name__ == "__main__":
    sys.exit(main())
