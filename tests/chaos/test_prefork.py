"""Children of the prefork pool die at random moments while it works: nothing is lost without saying so."""

from __future__ import annotations

import logging
import os
import random
import re
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import pools
from pools import BasePool, Job, signals
from pools.errors import WorkerLostError
from pools.states import JobState
from pools.testing.leftovers import holdings, leftovers
from tests.chaos import targets

CHILDREN = 8
JOBS = 200_000
#: Of how many jobs one has a value that goes through shared memory.
LARGE = 50
#: How many children are killed from outside, by a thread that knows nothing of what they do.
KILLINGS = 50
#: Seconds for all jobs of a test, on a busy machine.
PATIENCE = 120.0


class Killer:
    """Kills children of a pool, whatever they do, at random moments, until it is told to end."""

    def __init__(self, pool: BasePool) -> None:
        self._pool = pool
        self._dice = random.Random(1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        """Kill nobody any more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        for _ in range(KILLINGS):
            if self._ended.wait(self._dice.uniform(0.0, 0.05)):
                return
            pids = [child["pid"] for child in self._pool.info["children"] if child["pid"]]
            try:
                os.kill(self._dice.choice(pids), signal.SIGKILL)
            except (ProcessLookupError, IndexError):  # it has just died by itself, as have all others
                continue


class Outcomes:
    """What became of each job, as it was told to its callbacks."""

    def __init__(self) -> None:
        self.told: Counter[int] = Counter()
        self.wrong: list[object] = []
        self.lost: set[int] = set()
        self.jobs: list[Job] = []

    def apply(self, pool: BasePool, number: int, target: Any, args: tuple[Any, ...], expected: object) -> None:
        """Give the pool a job; it has to give ``expected``, or to be lost; if that is None, to be lost."""

        def callback(value: object) -> None:
            self.told[number] += 1
            if expected is None or value != expected:
                self.wrong.append((number, target, value))

        def error_callback(error: BaseException) -> None:
            self.told[number] += 1
            self.lost.add(number)
            if not isinstance(error, WorkerLostError):
                self.wrong.append((number, target, error))

        self.jobs.append(pool.apply_async(target, args, callback=callback, error_callback=error_callback))


def submit(pool: BasePool, outcomes: Outcomes, one_of: int) -> int:
    """Give the pool its jobs, about one of so many of which is deadly; returns how many are."""
    dice = random.Random(2)
    deadly = 0
    for number in range(JOBS):
        if dice.randrange(one_of) == 0:
            deadly += 1
            how = dice.choice([0, signal.SIGKILL, signal.SIGSEGV, None])
            if how is None:
                outcomes.apply(pool, number, targets.die_while_writing, (number,), None)
            else:
                outcomes.apply(pool, number, targets.die, (number, int(how)), None)
        elif dice.randrange(LARGE) == 0:
            outcomes.apply(pool, number, targets.large, (number,), targets.large(number))
        else:
            outcomes.apply(pool, number, targets.square, (number,), number * number)
    return deadly


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("start_method", "one_of"), [("fork", 1_000), ("spawn", 5_000)])
def test_children_die(start_method: str, one_of: int, caplog: pytest.LogCaptureFixture) -> None:
    """Each job has one outcome, which is right; the pool is whole at the end; each death is in the log once."""
    before, maps_before = holdings(), shared_maps()
    exited: list[tuple[int, str]] = []
    outcomes = Outcomes()
    caplog.set_level(logging.ERROR)

    def on_exit(_: object, child: int, pid: int, reason: str) -> None:
        exited.append((child, reason))

    with (
        pools.open(
            "prefork",
            CHILDREN,
            start_method=start_method,
            initializer=targets.perhaps_die_early,
            max_tasks_per_child=20_000,
        ) as pool,
        signals.child_exited.connected_to(on_exit, sender=pool),
    ):
        killer = Killer(pool)
        deadly = submit(pool, outcomes, one_of)
        assert pool.join(PATIENCE)
        killer.end()
        # A job needs a child that is up, which may have died a moment ago.
        assert pool.join(PATIENCE)
        assert outcomes.wrong == []
        assert set(outcomes.told.values()) == {1}
        assert len(outcomes.told) == JOBS
        assert deadly <= len(outcomes.lost) <= deadly + KILLINGS
        states = Counter(job.state for job in outcomes.jobs)
        assert states == {JobState.SUCCEEDED: JOBS - len(outcomes.lost), JobState.LOST: len(outcomes.lost)}
        whole = threading.Event()
        while len([child for child in pool.info["children"] if child["state"] == "idle"]) < CHILDREN:
            assert not whole.wait(0.01)
        assert len(pool.info["children"]) == CHILDREN
    numbers = [child for child, _ in exited]
    assert len(set(numbers)) == len(numbers)
    deaths = [re.match(r"child (\d+) of pool prefork \(pid \d+\) ", record.getMessage()) for record in caplog.records]
    assert None not in deaths
    logged = [int(death[1]) for death in deaths if death is not None]
    retired = {child for child, reason in exited if reason.startswith("exited with code 0")}
    assert sorted(logged) == sorted(set(numbers) - retired)
    assert leftovers(before) == ""
    assert shared_maps() == maps_before


def shared_maps() -> int:
    """How much memory that is shared with children this process has mapped."""
    return Path("/proc/self/maps").read_text().count("memfd:pools-prefork")
