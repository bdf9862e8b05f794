"""What the audit costs that runs when a pool opens: ``python -m benchmarks.audit``."""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULES = 1000
#: In how many processes each case is measured.
PROCESSES = 7

#: A module with as much in it as ``python -m benchmarks.modules`` finds on average in those of a real program, or more.
SOURCE = """
import os, socket, threading, time
from collections import OrderedDict, defaultdict
from os.path import exists, join, normpath
from pathlib import Path
from types import FunctionType, ModuleType

LIMIT, LEVEL, NAME, HELP = 10, 2, "name", "what it is for"
SIZES, CHOICES, ENDS = {{"a": 1, "b": [1, 2, 3]}}, ("a", "b"), (".a", ".b")

def function(a, b=(1, 2), *, c=None): return a
{functions}
{classes}
"""
FUNCTION = "def function{number}(a, b): return a"
CLASS = """
class Class{number}(Path if {number} == 3 else object):
    attribute = 1
    def __init__(self, a, b=2): super().__init__()
    def call(self, a): return a
    def other_call(self, a, b): return a
    def last_call(self): return None
    def __repr__(self): return "one"
    @property
    def value(self): return 1
"""


def source() -> str:
    """Return the source of such a module."""
    functions = "\n".join(FUNCTION.format(number=number) for number in range(3))
    return SOURCE.format(functions=functions, classes="".join(CLASS.format(number=number) for number in range(4)))


#: By the case, whether the modules are imported before the patch, and what they begin with.
CASES = {
    "imported after the patch": (False, ""),
    "imported too early": (True, "from socket import socket as Connection"),
    "imported too early, to no harm": (True, ""),
}


def measure(pool: str, case: str, folder: str) -> float:
    """Return the milliseconds of processor time that an audit takes here, until it has what a warning tells.

    It is to be the first in its process, as when a pool opens: the modules that it needs are imported for it.
    """
    from pools import registry
    from pools.patching import opening

    early, first = CASES[case]
    sys.path.insert(0, folder)
    if not early:
        registry.patch(pool)
    for number in range(MODULES):
        importlib.import_module(f"loaded_{number}")
    if early:
        registry.patch(pool)
    requirements = registry.use(pool).patches
    began = time.process_time()
    found = opening.first(requirements)
    took = time.process_time() - began
    if bool(found) is not bool(first):
        raise RuntimeError(f"found in modules that were {case}: {found}")
    return 1000 * took


def main() -> None:
    """Measure an audit with 1,000 modules."""
    for case, (_, first) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            for number in range(MODULES):
                (Path(folder) / f"loaded_{number}.py").write_text(first + source())
            for pool in ("gevent", "eventlet"):
                code = f"from benchmarks.audit import measure; print(measure({pool!r}, {case!r}, {folder!r}))"
                command = [sys.executable, "-W", "ignore", "-c", code]
                took = [float(subprocess.check_output(command)) for _ in range(PROCESSES)]
                print(f"{pool}, {MODULES} modules {case}: {statistics.median(took):.1f} ms of processor time")


if __name__ == "__main__":
    main()
