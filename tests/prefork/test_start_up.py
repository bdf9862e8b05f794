"""Children that come up, that do not, and a pool whose children never do."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from pools.errors import BrokenPoolError, PoolStateError, WorkerLostError
from pools_prefork.messages import WORKER_UP, ToHost
from pools_prefork.recycling import BACK_OFF
from tests.contract.records import PATIENCE, apply
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.targets import echo, note, noted, pid

#: What initializers have set in this process.
_settings: list[object] = []


def set_up(*settings: object) -> None:
    """An initializer."""
    _settings.extend(settings)


def see_settings() -> tuple[int, list[object]]:
    """What was set in this child."""
    time.sleep(0.001)
    return os.getpid(), _settings


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_an_initializer_runs_once_in_each_child_before_its_first_job(open_pool: OpenPool, method: str) -> None:
    pool = open_pool(2, start_method=method, initializer=set_up, initargs=("one", 2), max_tasks_per_child=10)
    seen = [apply(pool, see_settings) for _ in range(40)]
    assert {str(record.value()[1]) for record in seen} == {"['one', 2]"}
    assert len({record.value()[0] for record in seen}) >= 4
    assert _settings == []


def test_the_first_thing_that_a_child_says_has_the_number_15() -> None:
    assert ToHost.UP == WORKER_UP == 15


def come_up_when_told(log: str, release: str) -> None:
    """Let the first child come up at once, and the others when a file is there."""
    note(log, os.getpid())
    first = noted(log)[0] == str(os.getpid())
    give_up_at = time.monotonic() + PATIENCE
    while not first and not Path(release).exists():
        assert time.monotonic() < give_up_at, "nobody let the child go"
        time.sleep(0.002)


def test_no_child_gets_work_before_it_is_up(open_pool: OpenPool, tmp_path: Path) -> None:
    """The jobs go to that which is."""
    log, release = tmp_path / "log", tmp_path / "release"
    pool = open_pool(2, initializer=come_up_when_told, initargs=(str(log), str(release)))
    settled(lambda: len(noted(log)), 2)
    first, second = map(int, noted(log))
    assert {apply(pool, pid).value() for _ in range(50)} == {first}
    states = {child["pid"]: child["state"] for child in pool.info["children"]}
    assert states[second] == "starting"
    release.touch()
    settled(lambda: {child["state"] for child in pool.info["children"]}, {"idle"})


# -- Children that do not come up --------------------------------------------------------------------------------------


def fail_always(log: str) -> None:
    """An initializer that never succeeds."""
    note(log, os.getpid())
    raise LookupError("no such database")


def exit_always(log: str) -> None:
    """One that takes the process with it."""
    note(log, os.getpid())
    os._exit(7)


def test_an_initializer_that_always_raises(
    open_pool: OpenPool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The pool is broken, after a few starts with pauses between them: no storm of forks."""
    log = tmp_path / "log"
    pool = open_pool(3, initializer=fail_always, initargs=(str(log),))
    records = [apply(pool, echo, number) for number in range(20)]
    for record in records:
        error = record.error()
        assert isinstance(error, BrokenPoolError)
        assert "pool prefork is broken: LookupError('no such database')" in str(error)
        assert isinstance(error.__cause__, LookupError)
        assert "fail_always" in str(error.__cause__.__cause__)
        assert record.kinds == ["error"]
    with pytest.raises(BrokenPoolError, match="no such database"):
        pool.apply_async(echo, (1,))
    settled(lambda: pool.info["children"], [])
    # Those that are started together count as one.
    assert len(set(noted(log))) == len(noted(log)) <= 3 * (len(BACK_OFF) + 1)
    caplog.clear()
    pool.stop()
    with pytest.raises(PoolStateError, match="stopped"):
        pool.apply_async(echo, (1,))


def test_an_initializer_that_always_ends_its_process(
    open_pool: OpenPool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The error says how the child ended; each death is logged once."""
    log = tmp_path / "log"
    pool = open_pool(1, initializer=exit_always, initargs=(str(log),))
    error = apply(pool, echo, 1).error()
    assert isinstance(error, BrokenPoolError)
    assert isinstance(error.__cause__, WorkerLostError)
    assert "exited with code 7" in str(error)
    assert "was not up: exited with code 7" in str(error)
    settled(lambda: pool.info["children"], [])
    pids = noted(log)
    assert len(set(pids)) == len(pids) == len(BACK_OFF) + 1
    told = [record.getMessage() for record in caplog.records if "exited with code 7" in record.getMessage()]
    assert [sum(f"(pid {pid})" in text for text in told) for pid in pids] == [1] * len(pids)
    caplog.clear()


def fail_at_first(log: str, times: int) -> None:
    """An initializer that succeeds in the end."""
    note(log, os.getpid())
    if len(noted(log)) <= times:
        raise LookupError("not yet")


def test_an_initializer_that_succeeds_in_the_end(
    open_pool: OpenPool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody notices but the log; and the next time it may fail as often again."""
    log = tmp_path / "log"
    pool = open_pool(1, initializer=fail_at_first, initargs=(str(log), 2))
    assert apply(pool, echo, 1).value() == 1
    assert len(noted(log)) == 3
    assert pool.stats["restarts"] == {"died": 2}
    caplog.clear()


def hang_at_first(log: str) -> None:
    """An initializer that does not return in the first child."""
    note(log, os.getpid())
    if len(noted(log)) == 1:
        time.sleep(PATIENCE)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_that_is_not_up_in_time_is_killed_and_replaced(
    open_pool: OpenPool, tmp_path: Path, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its successor does the work."""
    log = tmp_path / "log"
    seconds = 0.5 if method == "fork" else 6.0
    pool = open_pool(
        1, start_method=method, proc_alive_timeout=seconds, initializer=hang_at_first, initargs=(str(log),)
    )
    up = apply(pool, pid).value()
    first, *others = map(int, noted(log))
    assert first != up == others[-1]
    assert up in pids(pool)
    # It may still be on its way out while its successor works.
    settled(lambda: "killed" in pool.stats["restarts"], True)
    assert f"it was not up after {seconds} s" in caplog.text


def hang(log: str) -> None:
    """An initializer that never returns."""
    note(log, os.getpid())
    time.sleep(PATIENCE)


def test_an_initializer_that_always_hangs(
    open_pool: OpenPool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The pool is broken, as after any other starts in vain."""
    log = tmp_path / "log"
    pool = open_pool(2, proc_alive_timeout=0.2, initializer=hang, initargs=(str(log),))
    error = apply(pool, echo, 1).error()
    assert isinstance(error, BrokenPoolError)
    assert re.search(r"child \d+ of pool prefork \(pid \d+\) was killed: it was not up after 0.2 s", str(error))
    settled(lambda: pool.info["children"], [])
    assert len(noted(log)) <= 2 * (len(BACK_OFF) + 1)
    caplog.clear()


def test_a_pool_stops_while_its_children_are_not_up(open_pool: OpenPool, tmp_path: Path) -> None:
    """``terminate`` does not wait for them, and jobs have their outcome."""
    log = tmp_path / "log"
    pool = open_pool(2, initializer=hang, initargs=(str(log),))
    record = apply(pool, echo, 1)
    settled(lambda: len(noted(log)), 2)
    began = time.monotonic()
    pool.terminate()
    assert time.monotonic() - began < 3.0
    record.error()
