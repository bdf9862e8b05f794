"""Point 6: terminate and cancel."""

from __future__ import annotations

import signal
from pathlib import Path
from time import monotonic

import pytest

from pools.errors import Cancelled, Terminated
from pools.states import JobState
from tests.contract.records import PATIENCE, apply
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, pids, settled
from tests.prefork.targets import echo, hold, spend


def test_cancel_what_waits(open_pool: OpenPool, tmp_path: Path) -> None:
    """In the queue or in the hands of a child: it never runs."""
    pool = open_pool()
    for _ in range(30):
        apply(pool, echo, 1).value()  # so that the child gets several jobs at a time
    log = str(tmp_path / "log")
    first = apply(pool, hold, str(tmp_path / "go"))
    records = [apply(pool, targets.note_and_return, log, number) for number in range(40)]
    first.accepted()
    assert all(record.job.cancel() for record in records[::2])
    for record in records[::2]:
        assert isinstance(record.error(), Cancelled)
        assert record.kinds == ["error"]
        assert record.job.state is JobState.CANCELLED
        assert not record.job.cancel()
    (tmp_path / "go").touch()
    assert [record.value() for record in records[1::2]] == list(range(1, 40, 2))
    assert targets.noted(log) == [str(number) for number in range(1, 40, 2)]


def test_cancel_what_runs(open_pool: OpenPool) -> None:
    """It goes on, and can see that somebody asked; the next one cannot."""
    pool = open_pool()
    record = apply(pool, targets.wait_for_cancel_request)
    record.accepted()
    assert not record.job.cancel()
    assert record.value() == "asked"
    assert apply(pool, targets.look_at_job).value()["cancel_requested"] is False


@pytest.mark.parametrize("name", [None, "INT", "kill", signal.SIGHUP, 9])
def test_terminate_what_runs(open_pool: OpenPool, name: str | int | None) -> None:
    """By its slot or its own method, with any signal; what waits behind it runs."""
    pool = open_pool()
    for by_slot in (True, False):
        record = apply(pool, spend, PATIENCE)
        behind = apply(pool, echo, 3)
        slot_id, _ = record.accepted()
        began = monotonic()
        ended = pool.terminate_job(slot_id, name) if by_slot else record.job.terminate(name)
        assert ended
        assert isinstance(record.error(), Terminated)
        assert record.kinds == ["accepted", "error"]
        record.check()
        assert behind.value() == 3
        assert monotonic() - began < PATIENCE / 4
        assert not pool.terminate_job(slot_id, name)
        assert not record.job.terminate(name)


@pytest.mark.parametrize("name", ["NOSUCH", 0, 4711])
def test_a_signal_that_there_is_not(open_pool: OpenPool, name: str | int) -> None:
    """It is refused, and the job goes on."""
    pool = open_pool()
    record = apply(pool, spend, 0.2)
    slot_id, _ = record.accepted()
    for call in (record.job.terminate, lambda signal: pool.terminate_job(slot_id, signal)):
        with pytest.raises(ValueError, match=str(name)):
            call(name)
    record.value()


def test_terminate_what_waits(open_pool: OpenPool, tmp_path: Path) -> None:
    """It is never accepted, and nobody is killed."""
    pool = open_pool()
    first, second = apply(pool, hold, str(tmp_path / "go")), apply(pool, echo, 1)
    first.accepted()
    assert second.job.terminate()
    assert isinstance(second.error(), Terminated)
    assert second.kinds == ["error"]
    (tmp_path / "go").touch()
    assert first.value() in pids(pool)


@pytest.mark.parametrize("target", [unruly.ignore_sigterm, unruly.swallow_everything])
def test_a_job_that_does_not_end(open_pool: OpenPool, target: object) -> None:
    """Its outcome stands, its child is killed soon, and others do not wait for that."""
    pool = open_pool(2)
    record = apply(pool, target, PATIENCE)  # type: ignore[arg-type]
    record.accepted()
    (child,) = [entry["pid"] for entry in pool.info["children"] if entry["job"]]
    assert apply(pool, spend, 0.05).value()
    assert record.job.terminate()
    assert isinstance(record.error(), Terminated)
    assert apply(pool, echo, 1).value() == 1
    settled(lambda: alive(child), False)
    settled(lambda: pool.info["strays"], 0)
    settled(lambda: len(pids(pool)), 2)
    assert apply(pool, echo, 1).value() == 1


def test_a_signal_for_a_job_never_hits_the_next_one(open_pool: OpenPool) -> None:
    """However late it comes."""
    pool = open_pool()
    for number in range(60):
        ends = apply(pool, spend, 0.001)
        after = [apply(pool, echo, number + more) for more in range(3)]
        ends.job.terminate()
        assert [record.value() for record in after] == [number, number + 1, number + 2]
        ends.ended()
        ends.check()


def test_a_slot_that_has_no_job(open_pool: OpenPool) -> None:
    """Nothing happens."""
    pool = open_pool()
    assert not pool.terminate_job(4711)
    (child,) = [entry["child"] for entry in pool.info["children"]]
    assert not pool.terminate_job(child)
    assert apply(pool, echo, 1).value() == 1


def test_a_pool_that_is_terminated_before_it_knows_what_has_begun(open_pool: OpenPool) -> None:
    """Jobs with limits that end in that moment are terminated, and stay so."""
    pool = open_pool()
    for number in range(15):
        records = [apply(pool, spend, 0.0005 * (number % 3), soft_timeout=PATIENCE) for _ in range(6)]
        spend(0.0004 * number)
        pool.terminate()
        for record in records:
            record.ended()
            record.check()
        pool.start()
