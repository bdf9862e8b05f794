"""Points 8 to 10: concurrency, backpressure, any thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from threading import Lock, Thread
from time import monotonic

import pytest

from pools.errors import PoolFullError, PoolStateError
from tests.contract.records import PATIENCE, Record, apply
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.targets import echo, hold, spend


def running(records: list[Record]) -> int:
    """How many of them have begun and not ended."""
    return sum(record.kinds == ["accepted"] for record in records)


def test_as_many_as_asked_for(open_pool: OpenPool, tmp_path: Path) -> None:
    """That many run at once, and no more; in as many processes, with growing and shrinking."""
    pool = open_pool(3)
    records = [apply(pool, hold, str(tmp_path / "go")) for _ in range(8)]
    settled(lambda: running(records), 3)
    pool.grow(2)
    settled(lambda: running(records), 5)
    assert pool.concurrency == 5
    pool.shrink(4)
    assert pool.concurrency == 1
    time.sleep(0.05)
    assert running(records) == 5
    (tmp_path / "go").touch()
    assert len({record.value() for record in records}) == 5
    settled(lambda: len(pool.info["children"]), 1)


def test_never_more_than_asked(open_pool: OpenPool, tmp_path: Path) -> None:
    """Not while children are replaced either, after so many jobs, or all of them."""
    log = tmp_path / "log"
    pool = open_pool(2, max_tasks_per_child=3)

    def several() -> list[Record]:
        return [apply(pool, targets.overlap, str(tmp_path), 0.004) for _ in range(60)]

    records = several()
    thread = Thread(target=pool.restart)
    thread.start()
    assert {record.value() for record in records} <= {1, 2}
    thread.join(PATIENCE)
    # On a busy machine a child may be up only when the other has done its part.
    settled(lambda: max(record.value() for record in several()), 2)
    assert not log.exists()


def test_a_shrink_waits_for_no_job(open_pool: OpenPool, tmp_path: Path) -> None:
    """And loses none."""
    pool = open_pool(4)
    records = [apply(pool, hold, str(tmp_path / "go")) for _ in range(4)]
    settled(lambda: running(records), 4)
    began = monotonic()
    pool.shrink(3)
    assert monotonic() - began < 1.0
    waiting = apply(pool, echo, 1)
    (tmp_path / "go").touch()
    assert len({record.value() for record in records}) == 4
    assert waiting.value() == 1
    with pytest.raises(ValueError, match="one must stay"):
        pool.shrink()


def test_shrink_and_grow_at_once(open_pool: OpenPool) -> None:
    """The number of children follows."""
    pool = open_pool(1)
    for size in (4, 1, 3, 2, 5, 1):
        if size > pool.concurrency:
            pool.grow(size - pool.concurrency)
        else:
            pool.shrink(pool.concurrency - size)
        assert apply(pool, echo, size).value() == size
    settled(lambda: len(pool.info["children"]), 1)
    pool.grow(2)
    settled(lambda: len(pids(pool)), 3)


# -- Fairness ----------------------------------------------------------------------------------------------------------


def test_nobody_waits_behind_a_job_that_computes_in_c(open_pool: OpenPool) -> None:
    """1,000 short jobs around it are done before it: the child that is in it has no say in that."""
    pool = open_pool(2)
    for _ in range(100):
        apply(pool, echo, 1).value()  # so that children get many jobs at a time
    short = [pool.apply_async(echo, (number,)) for number in range(500)]
    long = pool.apply_async(targets.stuck_in_c, timeout=PATIENCE)
    short += [pool.apply_async(echo, (number,)) for number in range(500, 1000)]
    assert [job.result(PATIENCE) for job in short] == list(range(1000))
    assert long.terminate()


def test_nobody_waits_while_a_child_is_idle(open_pool: OpenPool, tmp_path: Path) -> None:
    """Two threads submit at the same moment: both jobs run at once, as each waits for the other."""
    pool = open_pool(2)
    for _ in range(50):
        apply(pool, echo, 1).value()
    found: list[Record] = []

    def submit(number: int, other: int) -> None:
        found.append(apply(pool, targets.meet, str(tmp_path), number, other))

    for number in range(0, 400, 2):
        pairs = ((number, number + 1), (number + 1, number))
        threads = [Thread(target=submit, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {record.value() for record in found[-2:]} == {number, number + 1}


# -- Backpressure ------------------------------------------------------------------------------------------------------


def test_a_job_that_cannot_be_sent_does_not_wait(open_pool: OpenPool) -> None:
    """Its turn comes when a child has ended another job; its outcome is there then, in most cases at least."""
    pool = open_pool(1)
    seconds = []
    for _ in range(15):
        ahead = apply(pool, spend, 0.03)
        refused = apply(pool, echo, Lock())
        ahead.value()
        ended = monotonic()
        assert isinstance(refused.error(), TypeError)
        seconds.append(monotonic() - ended)
    assert median(seconds) < 0.2


def test_putlocks(open_pool: OpenPool, tmp_path: Path) -> None:
    """``apply_async`` waits for a free slot, wherever it is called."""
    pool = open_pool(2, putlocks=True)
    records = [apply(pool, hold, str(tmp_path / "go")) for _ in range(2)]
    third: list[Record] = []
    thread = Thread(target=lambda: third.append(apply(pool, echo, 3)))
    thread.start()
    settled(lambda: running(records), 2)
    thread.join(0.1)
    assert thread.is_alive()
    (tmp_path / "go").touch()
    thread.join(PATIENCE)
    assert third[0].value() == 3


def test_max_queued(open_pool: OpenPool, tmp_path: Path) -> None:
    """What waits is bounded, and a job that was cancelled, refused or lost makes room."""
    pool = open_pool(1, max_queued=2, when_full="raise")
    first = apply(pool, hold, str(tmp_path / "go"))
    first.accepted()
    second, third = apply(pool, echo, 2), apply(pool, echo, 3)
    with pytest.raises(PoolFullError):
        apply(pool, echo, 4)
    assert second.job.cancel()
    bad = apply(pool, echo, 4)
    (tmp_path / "go").touch()
    for record in (first, third, bad):
        record.value()
    for number in range(50):
        assert apply(pool, targets.echo, number).value() == number
        apply(pool, targets.echo, unruly.Unpicklable()).error()


def test_a_callback_that_submits_to_a_full_pool(open_pool: OpenPool) -> None:
    """It would wait for itself, and is told so."""
    pool = open_pool(1, putlocks=True)
    told: list[object] = []
    done = pool.new_event()

    def callback(value: int) -> None:
        try:
            apply(pool, echo, 1)
            apply(pool, spend, 0.1)
        except PoolStateError as error:
            told.append(error)
        done.set()

    pool.apply_async(echo, (1,), callback=callback)
    assert done.wait(PATIENCE)
    assert len(told) == 1


def test_map_reads_no_further_than_its_buffer(open_pool: OpenPool) -> None:
    """In order, as they end, and in chunks."""
    pool = open_pool(2)
    read = 0

    def numbers() -> Iterator[int]:
        nonlocal read
        for number in range(100):
            read += 1
            yield number

    values = pool.map(targets.double, numbers(), buffersize=5)
    for number, value in enumerate(values):
        assert value == 2 * number
        assert read <= number + 1 + 5
    assert sorted(pool.map(targets.double, range(50), ordered=False)) == list(range(0, 100, 2))
    assert list(pool.map(targets.double, range(50), chunksize=7)) == list(range(0, 100, 2))
    with pytest.raises(ZeroDivisionError):
        list(pool.map(divmod, [1, 2], [1, 0]))


# -- Any thread --------------------------------------------------------------------------------------------------------


def test_any_thread(open_pool: OpenPool) -> None:
    """Several that submit, cancel and terminate at once; each job has its outcome, and each value is its own."""
    pool = open_pool(3)
    found: list[list[Record]] = [[] for _ in range(6)]

    def use(records: list[Record], seed: int) -> None:
        for number in range(300):
            records.append(apply(pool, echo, (seed, number)))
            if number % 7 == seed:
                records[-1].job.cancel()
            if number % 100 == 50 + seed:
                pool.terminate_job(records[-5].job.slot_id)

    threads = [Thread(target=use, args=(records, seed)) for seed, records in enumerate(found)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    for seed, records in enumerate(found):
        for number, record in enumerate(records):
            record.ended()
            record.check()
            kind, outcome = record.history[-1]
            assert kind == "error" or outcome == (seed, number)
