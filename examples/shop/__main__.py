"""The demonstration: a worker, twenty orders, and whether all became of them that should. See README.md."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ORDERS = 20
#: Seconds for everything, on a machine that has other things to do.
PATIENCE = 60.0


def main() -> int:
    """Run the demonstration; returns 0 if all of it was true."""
    parser = argparse.ArgumentParser(prog="python -m examples.shop", description="A shop's Celery worker on a pool.")
    parser.add_argument("-P", "--pool", default="prefork", help="the worker's pool (default: prefork)")
    parser.add_argument("-c", "--concurrency", type=int, default=4, help="how many tasks at once (default: 4)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        (Path(folder) / "results").mkdir()
        os.environ["SHOP_FOLDER"] = folder
        command = ["pools", "worker", "-A", "examples.shop.tasks", "-P", arguments.pool]
        command += ["-c", str(arguments.concurrency), "-l", "ERROR", "--without-gossip", "--without-mingle"]
        print("$", *command, flush=True)
        with (Path(folder) / "log").open("wb") as log:
            worker = subprocess.Popen([sys.executable, "-W", "ignore", "-m", *command], stdout=log, stderr=log)
        try:
            untrue = _run_shop()
        finally:
            worker.terminate()
            code = worker.wait(PATIENCE)
        print(f"the worker finished what it had, and ended with exit code {code}")
    for line in untrue:
        print(f"not as it should be: {line}", file=sys.stderr)
    return int(bool(untrue) or code != 0)


def _run_shop() -> list[str]:
    """Place all orders, and see what becomes of them; returns what is not true."""
    from examples.shop import tasks

    began = time.monotonic()
    orders = {number: tasks.handle(number).apply_async() for number in range(1, ORDERS + 1)}
    due = datetime.now(UTC) + timedelta(seconds=2)
    reminder = tasks.remind.apply_async((1,), eta=due)
    report, catalogue = tasks.report.delay(), tasks.import_catalogue.delay()
    picture = tasks.make_picture.delay("shoes.png")
    untrue = []

    def check(what: str, found: Any, expected: Any) -> None:
        print(f"{what}: {found}", flush=True)
        if found != expected:
            untrue.append(f"{what}: {found!r}, not {expected!r}")

    parcels = 0
    for number, result in orders.items():
        attempts = 2 if number % 3 == 0 else 1
        expected = [f"parcel {number}", f"invoice {number}, {attempts} attempt(s)"]
        found = result.get(timeout=PATIENCE)
        if found != expected:
            untrue.append(f"order {number}: {found!r}, not {expected!r}")
        parcels += 1
    check("orders handled", parcels, ORDERS)
    check("the report, past its soft limit", report.get(timeout=PATIENCE), "counted some")
    check("the import, past its hard limit", _error(catalogue), "TimeLimitExceeded")
    check("the picture that took its process with it", _error(picture), "WorkerLostError")
    late = reminder.get(timeout=PATIENCE) - due.timestamp()
    check("the reminder came when it was due", -0.1 < late < PATIENCE, True)
    print(f"all of it took {time.monotonic() - began:.1f} s", flush=True)
    return untrue


def _error(result: Any) -> str:
    try:
        return f"none: {result.get(timeout=PATIENCE)!r}"
    except Exception as error:
        return type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
