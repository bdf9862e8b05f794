"""What the audit costs that runs when a pool opens: ``python -m benchmarks.audit``."""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    """Return the milliseconds of processor time of an audit here, patched before the imports, or after if ``early``."""
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
        began = time.process_time()
        found = Audit(requirements, opening.DEPTH).run(effects.early(requirements), quick=True)
        took.append(1000 * (time.process_time() - began))
        if found:
            raise RuntimeError(f"the modules have findings: {found[0]}")
    return statistics.median(took)


def main() -> None:
    """Measure an audit with 1,000 modules loaded, which were imported after the patch or all too early."""
    for pool in ("gevent", "eventlet"):
        for early in (False, True):
            # In a process of its own, which has not imported more than this.
            code = f"from benchmarks.audit import measure; print(round(measure({pool!r}, {early}), 1))"
            took = subprocess.check_output([sys.executable, "-W", "ignore", "-c", code], text=True).strip()
            print(f"{pool}, patched {'after' if early else 'before'} {MODULES} imports: {took} ms of processor time")


if __name__ == "__main__":
    main()
