"""Points 2 and 3: accepted first; callbacks are safe."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock, get_ident
from typing import Any

import pytest

from pools import BasePool, Job
from pools.errors import PoolStateError
from tests.contract.records import PATIENCE, Record, apply, wait
from tests.prefork.conftest import OpenPool
from tests.prefork.targets import echo, hold, spend
from tests.prefork.unruly import exit_at_once, raise_signal


@pytest.mark.parametrize(
    ("target", "args", "limits"),
    [
        (echo, (1,), {}),
        (divmod, (1, 0), {}),
        (exit_at_once, (3,), {}),
        (raise_signal, (9,), {}),
        (spend, (PATIENCE,), {"soft_timeout": 0.02}),
        (spend, (PATIENCE,), {"timeout": 0.02}),
    ],
)
def test_accepted_first(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, target: Any, args: tuple[Any, ...], limits: dict[str, float]
) -> None:
    """Once, before any other callback, with the slot and the time, however the job ends."""
    pool = open_pool(2)
    records = [apply(pool, target, *args, **limits) for _ in range(4)]
    for record in records:
        record.ended()
        record.check()
        assert record.kinds[0] == "accepted"
    pool.stop()
    caplog.clear()


def test_acceptance_is_told_when_it_happens(open_pool: OpenPool, tmp_path: Path) -> None:
    """Not when the job ends; and only of the job that begins."""
    pool = open_pool()
    first, second = apply(pool, hold, str(tmp_path / "go")), apply(pool, echo, 2)
    slot, _ = first.accepted()
    assert slot == pool.info["children"][0]["child"]
    assert second.history == []
    (tmp_path / "go").touch()
    assert second.value() == 2
    assert second.job.accepted_at is not None
    assert first.job.accepted_at is not None
    assert second.job.accepted_at > first.job.accepted_at


CALLBACKS = ["accept_callback", "callback", "error_callback", "timeout_callback"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_that_raises(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, name: str, error: type[BaseException]
) -> None:
    """It is logged, and neither the pool nor another job notices."""
    pool = open_pool()

    def callback(*args: object) -> None:
        raise error("in a callback")

    target, args = (spend, (PATIENCE,)) if name == "timeout_callback" else (divmod, (1, int(name == "callback")))
    limit = {"soft_timeout": 0.02} if name == "timeout_callback" else {}
    jobs = [pool.apply_async(target, args, **{name: callback}, **limit) for _ in range(2)]  # type: ignore[arg-type]
    assert all(job.wait(PATIENCE) for job in jobs)
    assert apply(pool, echo, 1).value() == 1
    pool.stop()
    logged = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [record.exc_info[0] for record in logged if record.exc_info] == [error, error]
    assert all(f"the {name} of job" in record.getMessage() for record in logged)
    caplog.clear()


def provoke(pool: BasePool, name: str, callback: Any, tmp_path: Path) -> Job:
    """Have one kind of callback called; returns its job."""
    if name == "accept, seen by whoever looks":
        job = pool.apply_async(hold, (str(tmp_path / "go"),), accept_callback=callback)
        assert pool.info["running"]
        (tmp_path / "go").touch()
        return job
    if name == "terminated":
        record = Record(pool)
        job = pool.apply_async(
            spend, (PATIENCE,), error_callback=callback, accept_callback=record.callbacks()["accept_callback"]
        )
        record.accepted()
        job.terminate()
        return job
    jobs: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
        "accept": (echo, (1,), {"accept_callback": callback}),
        "value": (echo, (1,), {"callback": callback}),
        "error": (divmod, (1, 0), {"error_callback": callback}),
        "lost": (exit_at_once, (1,), {"error_callback": callback}),
        "soft": (spend, (PATIENCE,), {"timeout_callback": callback, "soft_timeout": 0.02}),
        "hard": (spend, (PATIENCE,), {"error_callback": callback, "timeout": 0.02}),
    }
    target, args, options = jobs[name]
    return pool.apply_async(target, args, **options)


@pytest.mark.parametrize(
    "name", ["accept", "accept, seen by whoever looks", "value", "error", "lost", "soft", "hard", "terminated"]
)
def test_a_callback_does_not_wait_for_itself(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, tmp_path: Path, name: str
) -> None:
    """``stop()``, ``join()``, ``restart()``, and the outcome of another job: a ``PoolStateError`` says so."""
    pool = open_pool(2)
    other = apply(pool, hold, str(tmp_path / "other"))
    other.accepted()
    refused: list[str] = []
    called = pool.new_event()

    def callback(*args: object) -> None:
        for call in (pool.stop, pool.join, pool.restart, other.job.result):
            try:
                call()
            except PoolStateError as error:
                refused.append(str(error))
        called.set()

    job = provoke(pool, name, callback, tmp_path)
    wait(called)
    assert len(refused) == 4
    assert all("pool prefork" in message for message in refused)
    assert job.wait(PATIENCE)
    (tmp_path / "other").touch()
    other.value()
    pool.stop()
    caplog.clear()


def test_a_callback_may_use_the_pool(open_pool: OpenPool) -> None:
    """It may give jobs to the pool, cancel others, and ask what runs."""
    pool = open_pool()
    done = pool.new_event()
    seen: list[object] = []

    def chain(value: int) -> None:
        seen.append(value)
        if value < 3:
            spare = pool.apply_async(echo, (value,))
            pool.apply_async(echo, (value + 1,), callback=chain)
            seen.append(spare.cancel())
        else:
            seen.append(pool.info["state"])
            pool.grow()
            pool.shrink()
            done.set()

    pool.apply_async(echo, (0,), callback=chain)
    wait(done)
    assert [value for value in seen if not isinstance(value, bool)] == [0, 1, 2, 3, "running"]


def test_a_callback_may_terminate_the_pool(open_pool: OpenPool) -> None:
    """That waits for nothing; everything has its outcome."""
    pool = open_pool(2)
    slow = [apply(pool, spend, PATIENCE) for _ in range(2)]
    slow[0].accepted()
    ended = pool.new_event()

    def callback(_: object) -> None:
        pool.terminate()
        ended.set()

    slow[1].accepted()
    pool.grow()
    pool.apply_async(divmod, (1, 0), error_callback=callback)
    slow += [apply(pool, spend, PATIENCE) for _ in range(4)]
    wait(ended)
    for record in slow:
        record.error()
        record.check()
    assert pool.state.value == "stopped"


def test_callbacks_are_called_on_one_thread(open_pool: OpenPool) -> None:
    """That of the loop, and that of a job which cannot be sent as well: never within ``apply_async``."""
    pool = open_pool()
    threads: list[int] = []

    def note(_: object) -> None:
        threads.append(get_ident())

    for number in range(100):
        assert apply(pool, echo, number).value() == number
        # The child has nothing to do for the first, and is busy for the other.
        for argument in (Lock(), number, Lock(), number):
            pool.apply_async(echo, (argument,), callback=note, error_callback=note)
    assert pool.join(PATIENCE)
    assert len(threads) == 400
    assert len(set(threads)) == 1
    assert threads[0] != get_ident()


def test_callbacks_hold_a_stop_up(open_pool: OpenPool) -> None:
    """What was taken is finished when ``stop`` returns: callbacks too, however long they take."""
    pool = open_pool(2)
    seen: list[int] = []

    def callback(value: int) -> None:
        spend(0.03)
        seen.append(value)

    for number in range(5):
        pool.apply_async(echo, (number,), callback=callback)
    pool.stop()
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_a_limit_never_hits_a_callback(open_pool: OpenPool) -> None:
    """A limit is the job's alone: its callbacks, and those of others, take as long as they take."""
    pool = open_pool()
    seen: list[int] = []
    timeouts: list[object] = []

    def callback(value: int) -> None:
        spend(0.25)
        seen.append(value)

    apply(pool, echo, 1).value()
    limits = {"timeout": 0.2, "soft_timeout": 0.15, "timeout_callback": timeouts.append}
    jobs = [pool.apply_async(echo, (number,), callback=callback, **limits) for number in range(3)]  # type: ignore[arg-type]
    assert [job.result(PATIENCE) for job in jobs] == [0, 1, 2]
    pool.stop()
    assert seen == [0, 1, 2]
    assert timeouts == []
