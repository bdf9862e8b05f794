"""A nursery and what the tests have its children do."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import billiard

from pools_prefork.descriptors import ChildDescriptors, close, keep_from_forks
from pools_prefork.process import Nursery
from pools_prefork.reports import Born, Died, NurseryDied

Report = TypeVar("Report", Born, Died, NurseryDied)

#: Seconds after which a test gives up waiting.
PATIENCE = 20.0


class Home:
    """The part of a driver: makes the descriptors of children and collects reports."""

    def __init__(self, nursery: Nursery) -> None:
        self.nursery = nursery
        self.jobs: dict[int, int] = {}
        self.replies: dict[int, int] = {}
        self._reports: list[Born | Died | NurseryDied] = []

    def bear(self, *numbers: int) -> None:
        for number in numbers:
            jobs_r, self.jobs[number] = os.pipe()
            self.replies[number], replies_w = os.pipe()
            keep_from_forks(self.jobs[number], self.replies[number])
            self.nursery.bear(number, ChildDescriptors(jobs_r, replies_w, os.memfd_create("test")))

    def report(self, kind: type[Report], number: int | None = None) -> Report:
        """Wait for a report of this kind, about this child if a number is given."""
        give_up_at = time.monotonic() + PATIENCE
        while True:
            for report in self._reports:
                if isinstance(report, kind) and number in (None, getattr(report, "number", None)):
                    self._reports.remove(report)
                    return report
            assert time.monotonic() < give_up_at, f"no {kind.__name__} of {number}, but {self._reports}"
            select.select([self.nursery], [], [], 1.0)
            self._reports += self.nursery.reports()

    def answer(self, number: int) -> Any:
        """What the function returned in this child."""
        assert select.select([self.replies[number]], [], [], PATIENCE)[0]
        data = b""
        while not data.endswith(b"."):  # the end of a pickle, and of none of its values here
            more = os.read(self.replies[number], 1 << 16)
            assert more, "the child has ended without an answer"
            data += more
        return pickle.loads(data)

    def dismiss(self, number: int) -> None:
        """Let a child that has answered end."""
        close([self.jobs.pop(number)])

    def leave(self) -> None:
        self.nursery.stop()
        close(self.jobs.values())
        close(self.replies.values())


@contextlib.contextmanager
def home(method: str | None, function: Callable[[], Any]) -> Iterator[Home]:
    """A nursery whose children call the function, answer what it returns, and end when they are dismissed."""
    found = Home(Nursery("test", method, answer, function))
    try:
        found.nursery.start()
        yield found
    finally:
        found.leave()


# -- In the children ---------------------------------------------------------------------------------------------------


def answer(number: int, jobs_r: int, replies_w: int, memory: int, function: Callable[[], Any]) -> None:
    os.write(replies_w, pickle.dumps(function()))
    os.read(jobs_r, 1)


def family() -> tuple[int, int]:
    return os.getpid(), os.getppid()


def exit_with_3() -> None:
    raise SystemExit(3)


def fail() -> None:
    raise ValueError("as it must")


def segfault() -> None:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)


def use_memory() -> None:
    bytearray(os.urandom(1) * (100 << 20))


def condition() -> dict[str, Any]:
    return {
        "handlers": [number for number in signal.valid_signals() if callable(signal.getsignal(number))],
        "SIGINT": signal.getsignal(signal.SIGINT),
        "SIGTERM": signal.getsignal(signal.SIGTERM),
        "SIGCHLD": signal.getsignal(signal.SIGCHLD),
        "SIGHUP": signal.getsignal(signal.SIGHUP),
        "mask": list(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "wakeup": signal.set_wakeup_fd(-1),
        "stdin": os.read(0, 1),
        "stdin is": str(Path("/proc/self/fd/0").readlink()),
        "daemon": (multiprocessing.current_process().daemon, billiard.current_process().daemon),
        "threads": len(list(Path("/proc/self/task").iterdir())),
    }


def draw() -> float:
    return random.random()


def sockets() -> list[str]:
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(str(entry.readlink()))
    return [link for link in links if link.startswith("socket:")]


def double(number: int) -> int:
    return 2 * number


def use_processes() -> list[Any]:
    found: list[Any] = [subprocess.check_output([sys.executable, "-S", "-c", "print(42)"], text=True)]
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            found.append(pool.map(double, [21]))
        process = billiard.get_context(method).Process(target=double, args=(1,))
        process.start()
        process.join()
        found.append(process.exitcode)
    return found


def busy(how: str) -> None:
    if how == "python":
        while True:
            pass
    if how == "C":
        sum(range(10**12))
    time.sleep(1000)
