"""What finding plugins costs where much is installed: ``python -m benchmarks.discovery``.

Among 300 distributions that have nothing to do with pools it measures, as the best of several processes each: the
command ``pools list`` from its start to its end, and what ``pools.open`` takes when all that it imports is there.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DISTRIBUTIONS = 300
TIMES = 7

#: Prints the seconds that it takes to open a pool, beyond the import of its class and of what opens pools.
OPEN = """
import importlib, sys, time
import pools.registry
importlib.import_module(sys.argv[2])
began = time.perf_counter()
pool = pools.open(sys.argv[1], 1)
print(time.perf_counter() - began)
pool.stop()
"""


def install(folder: Path) -> None:
    """Add the metadata of distributions, as pip leaves it."""
    for number in range(DISTRIBUTIONS):
        info = folder / f"other_{number}-1.{number}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: other-{number}\nVersion: 1.{number}\n\n{'x' * 4000}\n"
        )
        (info / "entry_points.txt").write_text(f"[console_scripts]\nother-{number} = other_{number}:main\n")


def best(*command: str, folder: Path) -> tuple[float, str]:
    """The seconds that a command takes, and what it prints where it prints the least."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    seconds, printed = [], []
    for _ in range(TIMES):
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - began)
        printed.append(done.stdout)
    return min(seconds), min(printed)


def measure(python: str, pool: str) -> dict[str, float]:
    """Measure in the environment of an interpreter, on one of its pools."""
    code = f"import pools; print(pools.spec({pool!r}).pool.partition(':')[0])"
    module = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="discovery-") as name:
        folder = Path(name)
        install(folder)
        listed, _ = best(python, "-m", "pools", "list", folder=folder)
        _, opened = best(python, "-c", OPEN, pool, module, folder=folder)
    return {"distributions": DISTRIBUTIONS, "list": listed, "open": float(opened)}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.discovery", description=__doc__.split("\n\n")[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the environment to look at")
    parser.add_argument("--pool", default="threads", help="a pool of it (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    found = measure(given.python, given.pool)
    if given.json:
        print(json.dumps(found))
        return
    print(f"among {DISTRIBUTIONS} distributions, best of {TIMES}:")
    print(f"  pools list {found['list'] * 1000:7.1f} ms")
    print(f"  opening {given.pool}, once imported {found['open'] * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
