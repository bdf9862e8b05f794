"""Jobs that start processes themselves."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import billiard
import pytest

import pools
from tests.contract.records import PATIENCE, apply
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import settled
from tests.prefork.programs import is_alive
from tests.prefork.targets import double, echo, pid

each_method = pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])


def run_program() -> tuple[str, int]:
    """``subprocess``: output and exit code."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", "print(6 * 7); raise SystemExit(3)"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stdout, done.returncode


def use_a_pool(method: str) -> list[int]:
    """``multiprocessing.Pool``."""
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(double, range(5))


def use_an_executor() -> list[int]:
    """``ProcessPoolExecutor``."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        return list(executor.map(double, range(5)))


def use_billiard() -> int:
    """A process of billiard's."""
    process = billiard.get_context("fork").Process(target=time.sleep, args=(0,))
    process.start()
    process.join()
    return int(process.exitcode)


def use_pools() -> list[int]:
    """A pool of ours in a child of ours."""
    with pools.open("prefork", 1, start_method="fork") as pool:
        return list(pool.map(double, range(5)))


def fork() -> int:
    """``os.fork``; returns the exit code of the new process."""
    new = os.fork()
    if not new:
        os._exit(5)
    return os.waitstatus_to_exitcode(os.waitpid(new, 0)[1])


@each_method
def test_jobs_start_processes(open_pool: OpenPool, method: str) -> None:
    """And get what these return; the child goes on."""
    pool = open_pool(1, start_method=method)
    child = apply(pool, pid).value()
    assert apply(pool, run_program).value() == ("42\n", 3)
    assert apply(pool, use_a_pool, "fork").value() == [0, 2, 4, 6, 8]
    assert apply(pool, use_an_executor).value() == [0, 2, 4, 6, 8]
    assert apply(pool, use_billiard).value() == 0
    assert apply(pool, use_pools).value() == [0, 2, 4, 6, 8]
    assert apply(pool, fork).value() == 5
    assert apply(pool, pid).value() == child


def test_a_job_starts_interpreters(open_pool: OpenPool) -> None:
    pool = open_pool()
    assert apply(pool, use_a_pool, "spawn").value() == [0, 2, 4, 6, 8]


def daemonic() -> tuple[bool, bool]:
    """Whether this process is told that it may have no children."""
    return multiprocessing.current_process().daemon, billiard.current_process().daemon


@each_method
def test_children_are_not_daemonic(open_pool: OpenPool, method: str) -> None:
    pool = open_pool(start_method=method)
    assert apply(pool, daemonic).value() == (False, False)


def fork_and_return(how: str) -> int:
    """Come to the end of the job twice: in this process, and in a copy of it. Returns the exit code of the copy."""
    new = os.fork()
    if new:
        return os.waitstatus_to_exitcode(os.waitpid(new, 0)[1])
    if how == "exit":
        sys.exit(4)
    if how == "raise":
        sys.stderr = None
        raise LookupError("in the copy")
    return 99


@pytest.mark.parametrize(("how", "code"), [("return", 0), ("exit", 4), ("raise", 1)])
def test_a_job_that_forks_and_returns_twice(open_pool: OpenPool, how: str, code: int) -> None:
    """Its outcome is that of the child; the copy ends as a program does, and takes no other job."""
    pool = open_pool()
    for _ in range(30):
        apply(pool, echo, 1).value()
    forking = apply(pool, fork_and_return, how)
    behind = [apply(pool, echo, number) for number in range(50)]
    assert forking.value() == code
    assert [record.value() for record in behind] == list(range(50))
    forking.check()


def fork_and_terminate() -> int:
    """What ends a copy of the child that is told to end while the job goes on."""
    new = os.fork()
    if not new:
        time.sleep(PATIENCE)
        os._exit(0)
    os.kill(new, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(new, 0)[1])


def test_a_process_that_a_job_forked_ends_as_any_other(open_pool: OpenPool) -> None:
    assert apply(open_pool(), fork_and_terminate).value() == -signal.SIGTERM


def leave_running(seconds: float) -> int:
    """Leave a process behind; returns its id."""
    return subprocess.Popen([sys.executable, "-S", "-c", f"import time; time.sleep({seconds})"]).pid


def test_what_a_job_leaves_running_is_its_own_affair(open_pool: OpenPool) -> None:
    """It holds nothing up: not the job's outcome, not the next job, not the end of the pool."""
    pool = open_pool()
    left = apply(pool, leave_running, PATIENCE).value()
    try:
        assert apply(pool, echo, 1).value() == 1
        pool.stop()
        assert is_alive(left)
    finally:
        os.kill(left, 9)
    settled(lambda: is_alive(left), False)
