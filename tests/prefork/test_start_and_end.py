"""How children start, what they have of their host, and that they end with it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import pools
from pools import signals
from tests.contract.records import apply
from tests.prefork import unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.targets import echo

METHODS = ["fork", "forkserver", "spawn"]


def run(code: str, *args: str, timeout: float = 40.0) -> str:
    """What a fresh interpreter prints, which must not fail nor write to standard error."""
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args], capture_output=True, text=True, timeout=timeout, check=False
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout


LOCKED = """
import sys, threading, pools
from tests.prefork.targets import take_lock, LOCK
from tests.prefork.targets import echo

held, release = threading.Event(), threading.Event()

def hold():
    with LOCK:
        held.set()
        release.wait()

def begin():
    threading.Thread(target=hold, daemon=True).start()
    held.wait()

when = sys.argv[1]
if when == "start":
    begin()
pool = pools.open("prefork", 2, max_tasks_per_child=2)
print(pool.info["start_method"])
assert pool.apply_async(echo, (1,)).result(10.0) == 1
if when != "start":
    begin()
if when == "restart":
    pool.restart()
    print(pool.info["start_method"])
assert [pool.apply_async(take_lock).result(10.0) for _ in range(12)] == [True] * 12
pool.stop()
release.set()
"""


@pytest.mark.parametrize(
    ("when", "methods"),
    [("start", ["forkserver"]), ("recycling", ["fork"]), ("restart", ["fork", "forkserver"])],
)
def test_a_lock_that_another_thread_holds(when: str, methods: list[str]) -> None:
    """By default it never hangs a child, whether the pool starts, restarts, or replaces children meanwhile."""
    assert run(LOCKED, when).split() == methods


AT_EXIT = """
import atexit, sys, pools
from tests.prefork.targets import register_at_exit
from tests.prefork.targets import echo

if __name__ == "__main__":
    atexit.register(print, "the host's")
    with pools.open("prefork", 2, start_method=sys.argv[1], max_tasks_per_child=2) as pool:
        for number in range(8):
            pool.apply_async(register_at_exit).result()
"""


@pytest.mark.parametrize("method", METHODS)
def test_no_child_runs_what_its_host_does_at_exit(method: str) -> None:
    """Once, in the host."""
    assert run(AT_EXIT, method) == "the host's\n"


def test_a_program_that_ends_without_stopping_its_pool() -> None:
    """It gets what it asked for first."""
    code = "import pools; from tests.prefork.targets import *; p = pools.open('prefork', 2)\n"
    code += "for n in range(5): p.apply_async(spend, (0.02,), callback=lambda _: print('done'))"
    assert run(code) == "done\n" * 5


def test_signals_of_children(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """``child_started`` and ``child_exited``, once for each child, with its process and the reason."""
    started: list[tuple[int, int]] = []
    exited: list[tuple[int, int, str]] = []

    def on_started(sender: pools.BasePool, child: int, pid: int) -> None:
        started.append((child, pid))

    def on_exited(sender: pools.BasePool, child: int, pid: int, reason: str) -> None:
        exited.append((child, pid, reason))

    signals.child_started.connect(on_started)
    signals.child_exited.connect(on_exited)
    try:
        pool = open_pool(2, max_tasks_per_child=3)
        for _ in range(5):
            apply(pool, echo, 1).value()
        apply(pool, unruly.exit_at_once, 4).error()
        pool.stop()
    finally:
        signals.child_started.disconnect(on_started)
        signals.child_exited.disconnect(on_exited)
    assert len(started) == len(set(started))
    assert {entry[:2] for entry in exited} >= set(started)
    assert len({entry[0] for entry in exited}) == len(exited)
    assert [reason for _, _, reason in exited if "exited with code 4" in reason]
    caplog.clear()


def test_a_lock_by_fork_is_ours_to_choose(open_pool: OpenPool) -> None:
    """Where a thread runs, the default is another process to fork from, and threads of the pool's own do not count."""
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        assert open_pool(1, start_method=None).info["start_method"] == "forkserver"
    finally:
        release.set()
        thread.join()
