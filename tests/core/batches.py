"""Running ``pools run`` as its users do: a process of its own, in a folder with a module of theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

POOLS = ("solo", "threads", "gevent", "eventlet")
CONCURRENT = ("threads", "gevent", "eventlet")

#: The module that the batches of the tests call.
WORK = '''
import math, os, resource, time

def shout(line):
    return line.upper()

def note(line):
    """Leave a trace of each call, with one write, so that traces of many processes do not mix."""
    with open("calls.log", "ab", buffering=0) as log:
        log.write(f"{line}\\n".encode())

def noted(line):
    note(line)
    time.sleep(0.002)
    return line

def gated(line):
    note(line)
    while not os.path.exists("gate"):
        time.sleep(0.01)
    return line

def spin(line):
    note(line)
    while not os.path.exists("gate"):
        pass

def nap(line):
    time.sleep(float(line))
    return line

def soften(line):
    try:
        time.sleep(float(line))
    except Exception as error:
        raise RuntimeError("cleaned up") from error

def fail(line):
    raise LookupError(f"nothing is known of {line}")

def third_time(line):
    note(line)
    with open("calls.log") as log:
        if log.read().split().count(line) < 3:
            raise ValueError("not yet")
    return "at last"

def add(a, b=1):
    return a + b

def odd(line):
    return {"object": object, "nan": math.nan, "tuple": (1, 2)}[line]

def peak(line):
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

async def coroutine(line):
    pass

NUMBER = 7
'''


class Folder:
    """A working directory with the module ``work``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.output = path / "out.jsonl"
        self.log = path / "calls.log"
        (path / "work.py").write_text(WORK)

    def command(self, function: str, pool: str, *options: str) -> list[str]:
        """The command that calls ``work.function`` on ``pool``."""
        return [sys.executable, "-m", "pools", "run", f"work:{function}", "-P", pool, *options]

    def run(
        self, function: str, pool: str, *options: str, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        command = self.command(function, pool, *options)
        return subprocess.run(
            command, cwd=self.path, input=stdin, text=True, capture_output=True, timeout=60, check=False
        )

    def start(self, function: str, pool: str, *options: str) -> subprocess.Popen[str]:
        """Start it, with pipes in place of its standard streams."""
        pipe = subprocess.PIPE
        command = self.command(function, pool, *options)
        return subprocess.Popen(command, cwd=self.path, stdin=pipe, stdout=pipe, stderr=pipe, text=True, bufsize=1)

    def lines(self, lines: Sequence[str]) -> str:
        """Write the input and return its path."""
        path = self.path / "in.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    def calls(self) -> list[str]:
        """What was called so far, as far as the function notes it."""
        return self.log.read_text().split() if self.log.exists() else []

    def records(self) -> list[dict[str, Any]]:
        """What was recorded so far."""
        return records(self.output.read_text()) if self.output.exists() else []

    def open_gate(self) -> None:
        """Let ``gated`` and ``spin`` return."""
        (self.path / "gate").touch()


def records(text: str) -> list[dict[str, Any]]:
    """Read records, which must be whole, in the order of their lines."""
    return sorted((json.loads(line) for line in text.splitlines()), key=lambda record: int(record["line"]))


def concurrency(pool: str, number: int) -> list[str]:
    """The option for a concurrency, on pools that have one."""
    return [] if pool == "solo" else ["-c", str(number)]
