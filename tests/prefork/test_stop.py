"""Pools that are stopped and terminated in the middle of everything: each job has its outcome, and nothing is left."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from pools.errors import Terminated
from pools.states import JobState, PoolState
from tests.contract.records import PATIENCE, Record, apply
from tests.prefork import targets
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.programs import run
from tests.prefork.targets import echo, large, note_and_return, noted, spend

#: Seconds that suffice for what takes a moment, on a busy machine too.
SOON = 5.0


def check_ended(records: list[Record]) -> None:
    """Hold the jobs of a pool that was terminated to having an outcome each."""
    for record in records:
        assert record.job.done()
        record.ended()
        record.check()
        assert record.kinds[-1] == "value" or isinstance(record.error(), Terminated)


@pytest.mark.parametrize("options", [{}, {"max_tasks_per_child": 7}, {"max_age_per_child": 0.05}])
def test_stop_drains_under_load(open_pool: OpenPool, tmp_path: Path, options: dict[str, float]) -> None:
    """All that was taken runs, once, while children are replaced; then nobody is left."""
    log = tmp_path / "log"
    pool = open_pool(2, **options)
    records = [apply(pool, note_and_return, str(log), number, 0.001) for number in range(150)]
    children = set(pids(pool))
    pool.stop(timeout=PATIENCE)
    assert [record.value() for record in records] == list(range(150))
    assert sorted(map(int, noted(log))) == list(range(150))
    assert not any(map(is_there, children))
    assert pool.state is PoolState.STOPPED


def is_there(pid: int) -> bool:
    """Whether there is such a process still."""
    return Path(f"/proc/{pid}").exists()


def test_stop_waits_for_children_that_are_not_up(open_pool: OpenPool) -> None:
    """Jobs that were taken before run when one is."""
    pool = open_pool(2, initializer=time.sleep, initargs=(0.3,))
    records = [apply(pool, echo, number) for number in range(10)]
    pool.stop()
    assert [record.value() for record in records] == list(range(10))


@pytest.mark.parametrize("size", [1 << 22, 1 << 26])
def test_terminate_in_the_middle_of_large_payloads(open_pool: OpenPool, size: int) -> None:
    """In both directions."""
    pool = open_pool(2)
    apply(pool, echo, 1).value()
    data = bytes(size)
    records = [apply(pool, echo, data) if number % 2 else apply(pool, large, size) for number in range(6)]
    began = monotonic()
    pool.terminate()
    assert monotonic() - began < SOON
    check_ended(records)


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_the_end_comes_during_a_restart(open_pool: OpenPool, end: str) -> None:
    """Whoever waits for the restart is let go, or told that there is none any more."""
    pool = open_pool(2)
    records = [apply(pool, spend, 0.1) for _ in range(4)]
    returned = threading.Event()

    def restart() -> None:
        try:
            pool.restart()
        finally:
            returned.set()

    thread = Thread(target=restart)
    thread.start()
    settled(lambda: len(pool.info["children"]) > 2 or returned.is_set(), True)
    getattr(pool, end)()
    assert returned.wait(PATIENCE)
    thread.join(PATIENCE)
    check_ended(records)


def test_terminate_during_a_stop(open_pool: OpenPool) -> None:
    """It ends what the stop waits for."""
    pool = open_pool(2)
    records = [apply(pool, spend, PATIENCE) for _ in range(4)]
    records[0].accepted()
    thread = Thread(target=pool.stop)
    thread.start()
    settled(lambda: pool.state, PoolState.CLOSING)
    began = monotonic()
    pool.terminate()
    thread.join(PATIENCE)
    assert monotonic() - began < SOON
    check_ended(records)
    assert {record.job.state for record in records} == {JobState.TERMINATED}


def test_children_that_stand_still_do_not_hold_up_a_terminate(open_pool: OpenPool) -> None:
    """Neither one that idles nor one that has a job."""
    pool = open_pool(2)
    settled(lambda: len(pids(pool)), 2)
    record = apply(pool, spend, PATIENCE)
    record.accepted()
    for child in pids(pool):
        os.kill(child, signal.SIGSTOP)
    began = monotonic()
    pool.terminate()
    assert monotonic() - began < SOON
    check_ended([record])


def test_a_pool_starts_again(open_pool: OpenPool) -> None:
    """As often as one likes, with children of its own each time."""
    pool = open_pool(2)
    seen: set[int] = set()
    for turn in range(6):
        children = {apply(pool, targets.pid).value() for _ in range(10)}
        assert not children & seen
        seen |= children
        (pool.stop if turn % 2 else pool.terminate)()
        pool.start()


FIFTY = """
    import logging, time
    import pools
    from tests.prefork.unruly import ignore_sigterm

    if __name__ == "__main__":
        logging.disable(logging.WARNING)  # each child that is killed is told of
        pool = pools.open("prefork", 50, start_method="fork")
        jobs = [pool.apply_async(ignore_sigterm, (60.0,)) for _ in range(100)]
        while len(pool.info["running"]) < 50:
            time.sleep(0.01)
        began = time.monotonic()
        pool.terminate()
        print(time.monotonic() - began)
        assert [str(job.state) for job in jobs] == ["JobState.TERMINATED"] * 100
"""


def test_terminate_is_prompt_with_50_children_that_ignore_sigterm(tmp_path: Path) -> None:
    assert float(run(tmp_path, FIFTY)) < 2.0


COPY = """
    import os, sys, warnings
    import pools
    from tests.prefork.targets import echo, hold

    if __name__ == "__main__":
        warnings.simplefilter("ignore")  # the host has a thread
        release = sys.argv[1]
        pool = pools.open("prefork", 2, start_method="fork")
        job = pool.apply_async(hold, (release,))
        copy = os.fork()
        if not copy:
            try:
                pool.apply_async(echo, (1,))
            except pools.errors.PoolStateError as error:
                print(error)
            pool.stop()
            sys.exit(3)
        print(os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]), job.done())
        open(release, "w").close()
        print(job.result(20) != os.getpid(), pool.apply_async(echo, (2,)).result(20))
        pool.stop()
"""


def test_a_process_that_the_host_forks_has_no_pool(tmp_path: Path) -> None:
    """It is stopped there, so the process ends when it wants to; the host's own is as it was."""
    assert run(tmp_path, COPY, str(tmp_path / "release")).splitlines() == [
        "pool prefork is stopped, which forbids apply_async(): start it again, or open another pool",
        "3 False",
        "True 2",
    ]
