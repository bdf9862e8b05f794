"""What the audit costs that runs when a pool opens: ``python -m benchmarks.audit``."""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

#: How many modules are loaded, and what is in each: as much as in those of large frameworks.
MODULES = 1000
SOURCE = """
import os, socket, threading, time

LIMIT, NAME, SIZES = 10, "name", {{"a": 1, "b": [1, 2, 3]}}

class One:
    attribute = 1
    def call(self, a, b=2, *, c=None): return a
    @property
    def value(self): return 1
    @staticmethod
    def make(): return One()

class Two(One):
    def call(self, a, b=2, *, c=None): return super().call(a)

{functions}
one = One()
"""


def measure(pool: str, early: bool) -> float:
    """Return the milliseconds of an audit in this process, which it patches: after the imports, or before them."""
    from pools import registry
    from pools.patching import effects, opening
    from pools.patching.audit import Audit

    if not early:
        registry.patch(pool)
    with tempfile.TemporaryDirectory() as folder:
        functions = "\n".join(f"def function_{number}(a, b=1): return a" for number in range(30))
        sys.path.insert(0, folder)
        for number in range(MODULES):
            (Path(folder) / f"loaded_{number}.py").write_text(SOURCE.format(functions=functions))
        for number in range(MODULES):
            importlib.import_module(f"loaded_{number}")
    if early:
        registry.patch(pool)
    requirements = registry.use(pool).patches
    took = []
    for _ in range(7):
        began = time.perf_counter()
        found = Audit(requirements, opening.DEPTH).run(effects.early(requirements))
        took.append(1000 * (time.perf_counter() - began))
        if found:
            raise click.ClickException(f"the modules have findings: {found[0]}")
    return statistics.median(took)


@click.command()
@click.option("--here", nargs=2, metavar="POOL before|after", help="Measure in this process, which is patched for it.")
def main(here: tuple[str, str] | None) -> None:
    """Measure an audit with 1,000 modules loaded, which were imported after the patch or all too early."""
    if here is not None:
        print(f"{measure(here[0], here[1] == 'after'):.1f}")
        return
    for pool in ("gevent", "eventlet"):
        for when in ("before", "after"):
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.audit", "--here", pool, when]
            took = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()
            print(f"{pool}, patched {when} {MODULES} imports: {took} ms")


if __name__ == "__main__":
    main()
