"""Point 6: what is ended is that job alone, once, however its end races with its result or it clings to its slot."""

from __future__ import annotations

import contextlib
import random
import time
from time import monotonic
from typing import Any

import pytest

from pools.errors import StopJob, Terminated, TimeLimitExceeded
from pools.permits import Event
from pools.spec import Traits
from pools.states import JobState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, apply, busy, job_here, spend, until, wait
from tests.contract.terminator import LENGTH, Terminator, about, about_swallowing

pytestmark = pytest.mark.needs("terminate")


@pytest.fixture
def in_this_process(traits: Traits) -> None:
    """For what only a pool of this process has: one that kills has no stray, and no job that could cling."""
    if traits.hard_timeout == "kill":
        pytest.skip("a job that is terminated is killed")


# -- What becomes of the job -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_this_process")
def test_a_terminated_job_is_stopped(open_pool: OpenPool) -> None:
    """By ``StopJob``, which ``except Exception`` does not catch; what it cleans up, it cleans up."""
    pool = open_pool()
    seen: list[type[BaseException]] = []
    begun, cleaned = pool.new_event(), pool.new_event()

    def work() -> None:
        try:
            with contextlib.suppress(Exception):
                begun.set()
                spend(PATIENCE)
        except BaseException as error:
            seen.append(type(error))
            raise
        finally:
            cleaned.set()

    record = apply(pool, work)
    wait(begun)
    assert record.job.terminate()
    wait(cleaned)
    assert seen == [StopJob]
    record.ended()
    record.check()


@pytest.mark.usefixtures("in_this_process")
def test_a_job_terminates_itself(open_pool: OpenPool) -> None:
    """It gets no further."""
    pool = open_pool()
    steps: list[str] = []

    def work() -> None:
        steps.append("begun")
        try:
            job_here().terminate()
        except Exception:
            steps.append("went on")
        steps.append("went on")

    record = apply(pool, work)
    assert isinstance(record.error(), Terminated)
    assert apply(pool, int, 5).value() == 5
    assert steps == ["begun"]
    record.check()


def cling(begun: Event, release: Event) -> None:
    """A job that stays till it is released, whatever is raised in it."""
    try:
        begun.set()
        wait(release)
    except StopJob:
        while not _released(release):
            pass


def _released(release: Event) -> bool:
    try:
        return release.wait(0.005)
    except StopJob:
        return False


@pytest.mark.usefixtures("in_this_process")
def test_a_job_that_clings_is_a_stray(open_pool: OpenPool, traits: Traits) -> None:
    """It has its outcome, does not count as running, and can be ended neither again nor by its slot's number."""
    pool = open_pool()
    begun, release = pool.new_event(), pool.new_event()
    record = apply(pool, cling, begun, release)
    wait(begun)
    try:
        assert record.job.terminate()
        assert isinstance(record.error(), Terminated)
        assert pool.info["strays"] == 1
        assert pool.info["running"] == []
        assert not record.job.terminate()
        assert not pool.terminate_job(record.job.slot_id)
        after = apply(pool, int, 5)
        if traits.hard_timeout == "abandon":
            assert after.value() == 5
            assert pool.info["strays"] == 1
    finally:
        release.set()
    assert after.value() == 5
    give_up_at = monotonic() + PATIENCE
    while pool.info["strays"] and monotonic() < give_up_at:
        time.sleep(0.001)
    assert pool.info["strays"] == 0
    assert record.kinds == ["accepted", "error"]
    assert pool.concurrency == 1
    record.check()


def test_who_asks_in_vain_ends_nothing(open_pool: OpenPool) -> None:
    """A pool has not ended a job while its error callback is called, whoever else asks for the job's end meanwhile."""
    pool = open_pool()
    called, release, ended = pool.new_event(), pool.new_event(), pool.new_event()

    def on_error(error: BaseException) -> None:
        called.set()
        wait(release)
        ended.set()

    with busy(pool):
        job = pool.apply_async(int, error_callback=on_error)
        thread = NativeThread(pool, job.terminate)
        wait(called)
        assert not NativeThread(pool, job.terminate).join()
        assert not NativeThread(pool, job.cancel).join()
    assert not pool.join(0.05)
    release.set()
    assert pool.join(PATIENCE)
    assert ended.wait(0)
    assert thread.join()


# -- Races -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("target", [about, about_swallowing])
def test_a_termination_never_hits_the_next_job(open_pool: OpenPool, several: int, target: Any) -> None:
    """Of 1600 jobs that are terminated about their end, each has one outcome, and those after them their own."""
    pool = open_pool(several)
    dice = random.Random(1)
    terminator = Terminator(pool, 1600, seed=2)
    victims, others = [], []
    for _ in range(400):
        for _ in range(4):
            victims.append(terminator.apply(target, dice.uniform(-2e-4, 2e-4)))
            others.append(apply(pool, sum, range(50)))
        for record in victims[-4:]:
            record.ended()
    terminated = terminator.join()
    for record in victims:
        record.check()
        assert record.kinds in (["accepted", "value"], ["accepted", "error"])
    assert [record.value() for record in others] == [1225] * 1600
    for record in others:
        record.check()
    states = [record.job.state for record in victims]
    assert states.count(JobState.TERMINATED) == terminated
    assert states.count(JobState.SUCCEEDED) == 1600 - terminated


@pytest.mark.usefixtures("hasty")
def test_a_slot_number_hits_one_job_at_the_most(open_pool: OpenPool, several: int) -> None:
    """Each ``terminate_job`` that says True has ended one job, and each that says False none."""
    pool = open_pool(several)
    dice = random.Random(3)
    terminator = Terminator(pool, 1600, seed=4, by_slot=True)
    records = []
    for _ in range(400):
        records += [terminator.apply(about, dice.uniform(-2e-4, 2e-4)) for _ in range(4)]
        for record in records[-4:]:
            record.ended()
    terminated = terminator.join()
    for record in records:
        record.check()
    states = [record.job.state for record in records]
    assert states.count(JobState.TERMINATED) == terminated
    assert states.count(JobState.SUCCEEDED) == 1600 - terminated


@pytest.mark.needs("hard_timeout")
def test_a_termination_races_with_a_limit(open_pool: OpenPool, several: int) -> None:
    """One of them is the outcome."""
    pool = open_pool(several)
    terminator = Terminator(pool, 800, seed=5)
    records = []
    for _ in range(200):
        records += [terminator.apply(spend, PATIENCE, timeout=LENGTH) for _ in range(4)]
        for record in records[-4:]:
            assert isinstance(record.error(), Terminated | TimeLimitExceeded)
    terminated = terminator.join()
    for record in records:
        record.check()
    assert sum(isinstance(record.error(), Terminated) for record in records) == terminated


@pytest.mark.usefixtures("hasty")
def test_two_terminate_one_job(open_pool: OpenPool) -> None:
    """From two threads at once: it has one outcome, and whoever ended it is told so."""
    pool = open_pool()
    for _ in range(100):
        record = apply(pool, spend, PATIENCE)
        record.accepted()
        threads = [NativeThread(pool, record.job.terminate) for _ in range(2)]
        assert sum(thread.join() for thread in threads) >= 1
        assert isinstance(record.error(), Terminated)
        record.check()


@pytest.mark.needs("hard_timeout")
@pytest.mark.usefixtures("hasty")
def test_a_termination_leaves_the_limits_in_order(open_pool: OpenPool) -> None:
    """It hits the job, and nothing of what the pool has just begun in order to watch the job's limits."""
    pool = open_pool()
    dice = random.Random(6)
    for _ in range(200):
        job = pool.apply_async(spend, (PATIENCE,), timeout=PATIENCE)
        until(monotonic() + dice.uniform(0.0, 3e-4))
        assert job.terminate()
        assert isinstance(job.exception(PATIENCE), Terminated)
        assert isinstance(apply(pool, spend, PATIENCE, timeout=1e-3).error(), TimeLimitExceeded)
        pool.restart()
