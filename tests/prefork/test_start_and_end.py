"""How children start, what they have of their host, and that they end with it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import pools
from pools import signals
from tests.contract.records import PATIENCE, apply
from tests.prefork import targets
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, pids, settled
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
from tests.prefork.targets import take_lock, echo, LOCK

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


ORPHANED = """
import os, sys, threading, time, pools
from pathlib import Path
from tests.prefork import targets

def main():
    pool = pools.open("prefork", 2, start_method=sys.argv[1])
    target, args = {
        "idle": (targets.pid, ()), "busy": (targets.spin, (60,)), "in C": (targets.compute_in_c, ()),
    }[sys.argv[2]]
    jobs = [pool.apply_async(target, args) for _ in range(2)]
    if sys.argv[2] == "idle":
        for job in jobs:
            job.result()
    while sum(child["pid"] is not None and child["state"] in ("idle", "busy") for child in pool.info["children"]) < 2:
        time.sleep(0.01)
    while sys.argv[2] != "idle" and len(pool.info["running"]) < 2:
        time.sleep(0.01)
    time.sleep(0.05)
    children = [child["pid"] for child in pool.info["children"]]
    nursery = Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()[1]
    print(*children, nursery, flush=True)

thread = threading.Thread(target=main)
thread.start()
thread.join()
time.sleep(60)
"""


@pytest.mark.parametrize("doing", ["idle", "busy", "in C"])
@pytest.mark.parametrize("method", METHODS)
def test_no_child_outlives_its_host(method: str, doing: str) -> None:
    """The host is killed, and the pool was started on a thread that is gone: all are gone in two seconds."""
    arguments = [sys.executable, "-c", ORPHANED, method, doing]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        family = [int(pid) for pid in host.stdout.readline().split()]
        assert len(family) == 3
        assert all(map(alive, family))
        host.kill()
        ends = time.monotonic() + 2.0
        while any(map(lives, family)):
            assert time.monotonic() < ends
            time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie, which waits for whoever has it now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_host_that_forks_keeps_nothing_of_its_children_alive(open_pool: OpenPool) -> None:
    """A process that the host forked, and that goes on, holds up neither the pool's end nor that of its children."""
    pool = open_pool(2)
    apply(pool, echo, 1).value()
    children = pids(pool)
    pid = os.fork()
    if not pid:
        time.sleep(60.0)
        os._exit(0)
    try:
        began = time.monotonic()
        pool.stop()
        assert time.monotonic() - began < 2.0
        assert not any(map(alive, children))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("method", METHODS)
def test_what_children_have_of_their_host(open_pool: OpenPool, method: str) -> None:
    """No signal handler but their own, no standard input, other random numbers, no descriptors of siblings."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        random.seed(1)
        pool = open_pool(3, start_method=method)
        settled(lambda: len(pids(pool)), 3)
        found: dict[int, dict[str, Any]] = {}
        while len(found) < 3:
            apply(pool, targets.spend, 0.02)
            record = apply(pool, targets.resources)
            found[record.value()["pid"]] = record.value()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert len({one["random"] for one in found.values()}) == 3
    random.seed(1)
    assert random.random() not in {one["random"] for one in found.values()}
    for one in found.values():
        assert set(one["handlers"]) == {signal.SIGTERM, signal.SIGUSR1}
        assert one["SIGINT"]
        assert one["SIGHUP"]
        assert one["stdin"] == b""
        assert one["threads"] == 1
        assert not one["daemon"]
    assert len({one["pipes"] for one in found.values()}) == 1


AT_EXIT = """
import atexit, sys, pools
from tests.prefork.targets import echo, register_at_exit

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
        apply(pool, targets.exit_at_once, 4).error()
        pool.stop()
    finally:
        signals.child_started.disconnect(on_started)
        signals.child_exited.disconnect(on_exited)
    assert len(started) == len(set(started))
    assert {entry[:2] for entry in exited} >= set(started)
    assert len({entry[0] for entry in exited}) == len(exited)
    assert [reason for _, _, reason in exited if "exited with code 4" in reason]
    caplog.clear()


def test_an_executor_survives_a_dead_child(caplog: pytest.LogCaptureFixture) -> None:
    """Its call's future has the error, all others run."""
    with pools.PoolExecutor(
        2, pool="prefork", start_method="fork", initializer=targets.set_up, initargs=("x",)
    ) as executor:
        before = [executor.submit(targets.double, number) for number in range(20)]
        dead = executor.submit(targets.exit_at_once, 1)
        after = [executor.submit(targets.double, number) for number in range(20)]
        assert isinstance(dead.exception(PATIENCE), pools.errors.WorkerLostError)
        assert [future.result(PATIENCE) for future in (*before, *after)] == [2 * n for n in range(20)] * 2
        assert list(executor.map(targets.double, range(10), chunksize=3)) == [2 * n for n in range(10)]
        assert executor.submit(targets.setting).result(PATIENCE) == "x"
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
