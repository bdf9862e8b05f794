"""Children that are replaced: after so many jobs, at such an age, with so much memory."""

from __future__ import annotations

import gc
import mmap
import os
import time
from collections import Counter
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from pools import signals
from pools.errors import MemoryLimitExceeded
from pools.states import JobState
from pools_prefork.pool import PreforkPool
from tests.contract.records import PATIENCE, Record, apply
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, pids, settled
from tests.prefork.targets import echo, hold, note_and_return, noted, pid, spend

#: Much, in bytes: more than any child here has by itself.
MUCH = 200 << 20


def work(log: str, number: int, seconds: float) -> tuple[int, float, float]:
    """Leave a trace; returns the child, and when the job began and ended."""
    began = monotonic()
    note_and_return(log, number, seconds)
    return os.getpid(), began, monotonic()


def most_at_once(spans: list[tuple[int, float, float]]) -> int:
    """How many of these jobs ran at a time."""
    moments = sorted([(began, 1) for _, began, _ in spans] + [(ended, -1) for _, _, ended in spans])
    now = most = 0
    for _, change in moments:
        now += change
        most = max(most, now)
    return most


def check_each_ran_once(log: Path, records: list[Record]) -> list[tuple[int, float, float]]:
    """Hold jobs to it that none is lost or doubled; returns what :func:`work` has."""
    spans = [record.value() for record in records]
    assert Counter(noted(log)) == {str(number): 1 for number in range(len(records))}
    for record in records:
        record.check()
        assert record.kinds == ["accepted", "value"]
    return spans


@pytest.mark.parametrize(
    ("method", "count", "seconds", "tasks"),
    [("fork", 600, 0.0, 30), ("fork", 100, 0.004, 5), ("spawn", 60, 0.002, 20)],
    ids=["many at a time", "one at a time", "spawn"],
)
def test_max_tasks(open_pool: OpenPool, tmp_path: Path, method: str, count: int, seconds: float, tasks: int) -> None:
    """No child runs more; none runs less but the last ones; no job is lost, doubled, or runs beside too many."""
    log = tmp_path / "log"
    pool = open_pool(2, start_method=method, max_tasks_per_child=tasks)
    records = [apply(pool, work, str(log), number, seconds) for number in range(count)]
    spans = check_each_ran_once(log, records)
    per_child = Counter(child for child, _, _ in spans)
    assert max(per_child.values()) <= tasks
    assert len([done for done in per_child.values() if done < tasks]) <= 4
    assert most_at_once(spans) <= 2
    full = sum(done == tasks for done in per_child.values())
    settled(lambda: pool.stats["restarts"].get("tasks", 0) >= full, True)
    assert pool.stats["restarts"].keys() == {"tasks"}
    settled(lambda: len(pool.info["children"]), 2)


def test_a_child_for_each_job(open_pool: OpenPool, tmp_path: Path) -> None:
    """``max_tasks_per_child=1``."""
    log = tmp_path / "log"
    pool = open_pool(2, max_tasks_per_child=1)
    spans = check_each_ran_once(log, [apply(pool, work, str(log), number, 0.0) for number in range(50)])
    assert len({child for child, _, _ in spans}) == 50
    assert most_at_once(spans) <= 2


def test_a_child_retires_after_its_job_and_not_during_it(open_pool: OpenPool, tmp_path: Path) -> None:
    """Its last job takes as long as it takes; what waits runs in its successor, which takes the place then."""
    begun, release = tmp_path / "begun", tmp_path / "release"
    pool = open_pool(1, max_tasks_per_child=2)
    first = apply(pool, pid).value()
    last = apply(pool, hold, str(release), str(begun))
    behind = apply(pool, pid)
    last.accepted()
    # The successor is up before the old child has gone, and waits for its turn.
    settled(lambda: sorted(child["state"] for child in pool.info["children"]), ["busy", "idle"])
    assert len(pool.info["running"]) == 1
    assert behind.kinds == []
    release.touch()
    assert last.value() == first
    assert behind.value() != first
    settled(lambda: alive(first), False)


class Spans:
    """When children came up and went, as the signals tell."""

    def __init__(self, pool: PreforkPool) -> None:
        self.up: set[int] = set()
        self.fewest = 99
        self.gone = 0
        self._second_up = Event()
        signals.child_started.connect(self._on_started, sender=pool)
        signals.child_exited.connect(self._on_exited, sender=pool)

    def _on_started(self, pool: Any, child: int, pid: int) -> None:
        self.up.add(child)

    def _on_exited(self, pool: Any, child: int, pid: int, reason: str) -> None:
        self.up.discard(child)
        self.fewest = min(self.fewest, len(self.up))
        self.gone += 1


@pytest.mark.parametrize("options", [{"max_age_per_child": 0.1}, {"max_memory_per_child": 1}], ids=["age", "memory"])
def test_a_successor_is_up_before_the_pool_is_short_of_a_child(
    open_pool: OpenPool, tmp_path: Path, options: dict[str, Any]
) -> None:
    """There are never fewer children than were asked for, while they grow old, or large, and work."""
    log = tmp_path / "log"
    pool = open_pool(2, **options)
    settled(lambda: [child["state"] for child in pool.info["children"]], ["idle", "idle"])
    spans = Spans(pool)
    settled(lambda: len(spans.up) + len(pool.info["children"]), 2 + len(spans.up))
    spans.up = {child["child"] for child in pool.info["children"]}
    records: list[Record] = []
    give_up_at = monotonic() + PATIENCE
    while spans.gone < 4:
        assert monotonic() < give_up_at, "no child is replaced"
        records += [apply(pool, work, str(log), len(records) + number, 0.002) for number in range(20)]
        records[-1].ended()
    assert most_at_once(check_each_ran_once(log, records)) <= 2
    assert spans.fewest >= 2


def test_max_age_of_idle_children(open_pool: OpenPool) -> None:
    """They are replaced too, and the reason is counted."""
    pool = open_pool(2, max_age_per_child=0.1)
    settled(lambda: len(pids(pool)), 2)
    before = set(pids(pool))
    settled(lambda: len(before & set(pids(pool))), 0)
    settled(lambda: pool.stats["restarts"].get("age", 0) >= 2, True)
    assert pool.stats["restarts"].keys() == {"age"}


def test_max_age_during_a_job(open_pool: OpenPool, tmp_path: Path) -> None:
    """The job ends first."""
    begun, release = tmp_path / "begun", tmp_path / "release"
    pool = open_pool(1, max_age_per_child=0.1)
    record = apply(pool, hold, str(release), str(begun))
    record.accepted()
    settled(lambda: len(pool.info["children"]), 2)
    release.touch()
    child = record.value()
    settled(lambda: alive(child), False)
    assert apply(pool, echo, 1).value() == 1


# -- Memory ------------------------------------------------------------------------------------------------------------

_kept: list[mmap.mmap] = []


def memory_of(size: int) -> mmap.mmap:
    """So many bytes of the system's: the allocator may have as many that are resident already, from the host's past."""
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)


def grow_by(size: int) -> int:
    """Keep so many bytes of memory for ever."""
    _kept.append(memory_of(size))
    return os.getpid()


def grow_and_stay(size: int, seconds: float) -> int:
    """The same, and go on for a while."""
    child = grow_by(size)
    time.sleep(seconds)
    return child


def use_for_a_moment(size: int) -> int:
    """Have much memory, and give it back."""
    memory_of(size).close()
    return os.getpid()


def memory_of_a_child(open_pool: OpenPool) -> int:
    """What a child has when it begins, in KiB."""
    gc.collect()  # what earlier tests left would be in this child, and perhaps not in the next
    pool = open_pool()
    apply(pool, echo, 1).value()
    memory = int(pool.info["children"][0]["memory"])
    pool.stop()
    return memory


def test_the_soft_edge_of_memory(open_pool: OpenPool) -> None:
    """A child that has too much retires after the job, which succeeds; one that has had too much does not."""
    limit = memory_of_a_child(open_pool) + (MUCH >> 11)
    pool = open_pool(1, max_memory_per_child=limit)
    first = apply(pool, pid).value()
    assert apply(pool, use_for_a_moment, MUCH).value() == first
    assert apply(pool, pid).value() == first
    assert apply(pool, grow_by, MUCH).value() == first
    settled(lambda: alive(first), False)
    assert apply(pool, pid).value() != first
    settled(lambda: pool.stats["restarts"], {"memory": 1})


def test_the_hard_edge_of_memory(open_pool: OpenPool) -> None:
    """A child is killed during its job, whose outcome says so; other jobs notice nothing."""
    limit = memory_of_a_child(open_pool) + (MUCH >> 11)
    pool = open_pool(2, hard_memory_per_child=limit)
    beside = apply(pool, spend, 1.0)
    began = monotonic()
    record = apply(pool, grow_and_stay, MUCH, PATIENCE)
    record.accepted()
    behind = [apply(pool, echo, number) for number in range(20)]
    error = record.error()
    assert monotonic() - began < 5.0
    assert isinstance(error, MemoryLimitExceeded)
    assert str(record.job) in str(error)
    assert f"may have {limit}" in str(error)
    assert record.job.state is JobState.FAILED
    record.check()
    assert [other.value() for other in behind] == list(range(20))
    beside.value()
    settled(lambda: pool.stats["restarts"], {"killed": 1})
    settled(lambda: len(pool.info["children"]), 2)


def test_both_edges_of_memory(open_pool: OpenPool) -> None:
    """What lies between them is the soft one's."""
    start = memory_of_a_child(open_pool)
    pool = open_pool(1, max_memory_per_child=start + (MUCH >> 11), hard_memory_per_child=start + (MUCH >> 9))
    first = apply(pool, grow_and_stay, MUCH, 0.7).value()
    settled(lambda: alive(first), False)
    second = apply(pool, grow_and_stay, 3 * MUCH, PATIENCE)
    assert isinstance(second.error(), MemoryLimitExceeded)
    settled(lambda: pool.stats["restarts"].get("memory"), 1)
