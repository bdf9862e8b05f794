"""Point 4: the life of a pool, and what is left of it: nothing."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest

import pools
from pools.errors import PoolStateError, Terminated, UsageError
from pools.states import PoolState
from pools.testing.leftovers import holdings, leftovers
from tests.contract.records import PATIENCE, apply
from tests.prefork import unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, pids, settled
from tests.prefork.mappings import memory_maps
from tests.prefork.targets import echo, hold, spend

METHODS = ["fork", "forkserver", "spawn"]


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left(open_pool: OpenPool, caplog: pytest.LogCaptureFixture, method: str) -> None:
    """Of several lives, with large payloads, and a child that died."""
    before = holdings(), memory_maps()
    pool = open_pool(2, start_method=method)
    for _ in range(2):
        assert pool.info["start_method"] == method
        apply(pool, echo, b"x" * (1 << 20)).value()
        children = pids(pool)
        apply(pool, unruly.exit_at_once, 0).error()
        apply(pool, spend, PATIENCE, timeout=0.3).error()
        pool.stop()
        assert not any(map(alive, children))
        assert leftovers(before[0]) == ""
        assert memory_maps() <= before[1]
        caplog.clear()
        pool.start()


def test_stop_finishes_what_was_taken(open_pool: OpenPool) -> None:
    """And takes no more."""
    pool = open_pool(2)
    records = [apply(pool, spend, 0.01) for _ in range(30)]
    pool.stop()
    assert {tuple(record.kinds) for record in records} == {("accepted", "value")}
    assert pool.state is PoolState.STOPPED
    with pytest.raises(PoolStateError, match=r"^pool prefork is stopped, which forbids apply_async\(\)"):
        pool.apply_async(echo, (1,))
    for call in (pool.restart, pool.grow):
        with pytest.raises(PoolStateError, match=r"^pool prefork is stopped"):
            call()
    pool.stop()
    pool.terminate()


def test_stop_terminates_what_is_not_done_in_time(open_pool: OpenPool) -> None:
    """Both what runs and what waits, in the hands of a child or not."""
    pool = open_pool(2)
    for _ in range(20):
        apply(pool, echo, 1).value()
    records = [apply(pool, spend, PATIENCE) for _ in range(10)]
    began = monotonic()
    pool.stop(timeout=0.2)
    assert 0.2 <= monotonic() - began < 2.0
    for record in records:
        assert isinstance(record.error(), Terminated)
        record.check()


def test_a_child_that_ignores_sigterm(open_pool: OpenPool, tmp_path: Path) -> None:
    """It is killed, on every way out."""
    pool = open_pool()
    for number, end in enumerate((pool.terminate, lambda: pool.stop(timeout=0.1), pool.terminate)):
        record = apply(pool, unruly.ignore_sigterm, PATIENCE, str(tmp_path / str(number)))
        settled((tmp_path / str(number)).exists, True)
        (child,) = pids(pool)
        began = monotonic()
        if number == 2:
            os.kill(child, signal.SIGSTOP)
        end()
        assert monotonic() - began < 2.0
        assert isinstance(record.error(), Terminated)
        assert not alive(child)
        pool.start()


def test_a_with_statement() -> None:
    """It stops the pool at its normal end, and terminates it if an exception comes out."""
    with pools.open("prefork", 1, start_method="fork") as pool:
        record = apply(pool, spend, 0.05)
    record.value()

    def fail() -> None:
        with pools.open("prefork", 1, start_method="fork") as pool:
            records.append(apply(pool, spend, PATIENCE))
            raise LookupError("out")

    records: list[Any] = []
    with pytest.raises(LookupError):
        fail()
    assert isinstance(records[0].error(), Terminated)


def test_who_asks_while_the_pool_stops(open_pool: OpenPool) -> None:
    """``info``, ``stats``, ``terminate_job``, ``grow`` and ``restart`` come back, whenever they are asked."""
    pool = open_pool(2)
    over = False
    raised: list[BaseException] = []

    def ask() -> None:
        while not over:
            try:
                assert pool.info["pool"] == "prefork"
                assert pool.stats["pool"] == "prefork"
                pool.terminate_job(1)
                pool.grow()
                pool.shrink()
                pool.restart()
            except PoolStateError:
                pass
            except BaseException as error:
                raised.append(error)
                return

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(6):
        for _ in range(5):
            pool.apply_async(echo, (1,))
        if number % 2:
            pool.stop()
        else:
            pool.terminate()
        pool.start()
    over = True
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert raised == []


def test_a_rolling_restart(open_pool: OpenPool, tmp_path: Path) -> None:
    """Every child is another one then, there was always one, and a job that runs is waited for."""
    pool = open_pool(2)
    running = apply(pool, hold, str(tmp_path / "go"))
    running.accepted()
    before = set(pids(pool))
    thread = Thread(target=pool.restart)
    thread.start()
    for number in range(200):
        assert apply(pool, echo, number).value() == number
    assert thread.is_alive()
    (tmp_path / "go").touch()
    assert running.value() in before
    thread.join(PATIENCE)
    assert not thread.is_alive()
    settled(lambda: len(pids(pool)), 2)
    assert not before & set(pids(pool))
    assert pool.stats["restarts"] == {"restart": 2}


def test_restarts_at_once(open_pool: OpenPool) -> None:
    """From several threads: each returns."""
    pool = open_pool(2)
    threads = [Thread(target=pool.restart) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert apply(pool, echo, 1).value() == 1
    settled(lambda: len(pids(pool)), 2)


def test_what_cannot_be_handed_to_children() -> None:
    """It is an error of one line when the pool is opened, and nothing is left."""
    before = holdings()
    with pytest.raises(
        UsageError, match=r"^the children of the pool prefork start by spawn, so what they are given is"
    ):
        pools.open("prefork", 1, start_method="spawn", initializer=lambda: None)
    assert leftovers(before) == ""
