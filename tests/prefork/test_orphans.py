"""A host that is killed takes its children with it, whatever they do; a nursery takes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pools.errors import WorkerLostError
from tests.contract.records import PATIENCE, apply
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.programs import ENVIRONMENT, is_alive
from tests.prefork.targets import echo, hold, pid

#: Seconds after which no child may be left when its host is gone.
SOON = 2.0


def parent(pid: int) -> int:
    """The process that a process is a child of."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


# -- The host ----------------------------------------------------------------------------------------------------------

HOST = """
    import os, sys, threading, time
    import pools
    from tests.prefork import targets, unruly

    def main():
        log, method = sys.argv[1:]
        options = {{"start_method": method}}
        {code}

    if __name__ == "__main__":
        thread = threading.Thread(target=main)
        thread.start()
        thread.join()
        time.sleep(1000)
"""


GIVE = "pool = pools.open('prefork', 2, **options); [pool.apply_async(targets.{}, (log, *{})) for _ in range(2)]"
#: What hosts do, by what their children do then.
CODE = {
    "come up": "pools.open('prefork', 2, initializer=targets.note_and_sleep, initargs=(log,), **options)",
    "stand still": GIVE.format("note_and_stop", "()"),
    "ignore all signals": GIVE.format("note_and_refuse_to_end", "()"),
    "write to a host that stands still": GIVE.format("note_and_give", "(64 << 20,)")
    + "; targets.stop_when_noted(log, 2)",
}


@contextmanager
def host(path: Path, code: str, method: str, count: int) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """Run a host; gives it and the processes that its children have noted, once they are so many."""
    program = path / "program.py"
    program.write_text(textwrap.dedent(HOST.format(code=code)))
    log = path / "log"
    command = [sys.executable, "-W", "error", str(program), str(log), method]
    with subprocess.Popen(command, env=ENVIRONMENT) as process:
        try:
            settled(lambda: len(targets.noted(log)) >= count, True)
            yield process, [int(line) for line in targets.noted(log)]
        finally:
            process.kill()


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("doing", CODE)
def test_no_children_outlive_their_host(tmp_path: Path, method: str, doing: str) -> None:
    """The pool was started on a thread that has ended."""
    with host(tmp_path, CODE[doing], method, 2) as (process, children):
        family = [*children, *{parent(child) for child in children}]
        assert len(family) == 3
        assert process.pid not in family
        process.kill()
        process.wait()
        give_up_at = time.monotonic() + SOON
        while left := [pid for pid in family if is_alive(pid)]:
            assert time.monotonic() < give_up_at, left
            time.sleep(0.01)


# -- The nursery -------------------------------------------------------------------------------------------------------


def kill_nursery(child: int) -> None:
    """Kill the process that has started a child."""
    nursery = parent(child)
    assert nursery != os.getpid()
    os.kill(nursery, signal.SIGKILL)


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool_goes_on_without_its_nursery(
    open_pool: OpenPool, tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Children that live work on, jobs that run end, those that die are noticed and replaced."""
    begun, release = tmp_path / "begun", tmp_path / "release"
    pool = open_pool(2, start_method=method)
    settled(lambda: len(pids(pool)), 2)
    record = apply(pool, hold, str(release), str(begun))
    settled(begun.exists, True)
    before = pids(pool)
    kill_nursery(before[0])
    settled(lambda: "nursery of pool prefork died: was killed by SIGKILL" in caplog.text, True)
    assert [apply(pool, echo, number).value() for number in range(20)] == list(range(20))
    assert pids(pool) == before
    # An orphan that dies.
    release.touch()
    assert record.value() in before
    lost = apply(pool, unruly.exit_at_once, 3)
    assert isinstance(lost.error(), WorkerLostError)
    assert f"(pid {before[0]})" in str(lost.error()) or f"(pid {before[1]})" in str(lost.error())
    # Another one is born, in a nursery of its own.
    settled(lambda: len(pids(pool)), 2)
    assert apply(pool, echo, 1).value() == 1
    pool.restart()
    assert not set(before) & set(pids(pool))
    assert not any(map(is_alive, before))
    caplog.clear()


def test_nursery_and_children_are_killed_over_and_over(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """In any order; the pool is whole again each time, and no job that had not begun is lost."""
    pool = open_pool(2)
    for turn in range(6):
        settled(lambda: len(pids(pool)), 2)
        first, second = pids(pool)
        nursery = parent(first)
        victims = [[nursery, first], [first, nursery], [first, second, nursery], [nursery]][turn % 4]
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        records = [apply(pool, echo, number) for number in range(10)]
        for record in records:
            record.ended()
            record.check()
        assert sum(record.kinds[-1] == "error" for record in records) <= 2
    caplog.clear()


def take_lock() -> bool:
    """Whether a lock is free that the host may hold."""
    if LOCK.acquire(timeout=PATIENCE):
        LOCK.release()
        return True
    return False


LOCK = threading.Lock()


def test_a_lock_that_the_host_holds_when_its_nursery_dies(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture
) -> None:
    """The next nursery is no fork of it, as the host has a thread now; so no child can find the lock taken."""
    pool = open_pool(1, start_method=None)
    first = apply(pool, pid).value()
    release = threading.Event()
    held = threading.Event()

    def keep() -> None:
        with LOCK:
            held.set()
            release.wait(PATIENCE)

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        assert held.wait(PATIENCE)
        kill_nursery(first)
        os.kill(first, signal.SIGKILL)
        settled(lambda: first in pids(pool), False)
        assert apply(pool, take_lock).value()
        assert pool.info["start_method"] == "forkserver"
    finally:
        release.set()
        thread.join(PATIENCE)
    caplog.clear()


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_a_pool_ends_without_its_nursery(open_pool: OpenPool, end: str, caplog: pytest.LogCaptureFixture) -> None:
    pool = open_pool(2)
    settled(lambda: len(pids(pool)), 2)
    children = pids(pool)
    kill_nursery(children[0])
    getattr(pool, end)()
    settled(lambda: [is_alive(child) for child in children], [False, False])
    caplog.clear()
