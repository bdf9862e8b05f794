"""Jobs run in greenlets that are used again: eventlet works in them, and nothing of a job reaches the next one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

import pools
from pools import BasePool
from pools.errors import SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from pools_eventlet.library import eventlet
from tests.eventlet.patched.waits import WAITS, wait_and_be_woken


@pytest.fixture
def pool() -> Iterator[BasePool]:
    """A pool with one slot."""
    with pools.open("eventlet", 1) as pool:
        yield pool


def nap() -> float:
    """Sleep for 0.08 s; returns for how long that was."""
    began = monotonic()
    eventlet.sleep(0.08)
    return monotonic() - began


@pytest.mark.parametrize("name", WAITS)
def test_a_job_waits_as_any_greenlet(pool: BasePool, name: str) -> None:
    pool.apply_async(wait_and_be_woken, (name,)).result(10.0)


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_that_a_limit_cut_short_wakes_no_other_job(pool: BasePool, name: str) -> None:
    wait, wake = WAITS[name]()
    cut = pool.apply_async(wait, soft_timeout=0.01)
    with pytest.raises(SoftTimeLimitExceeded):
        cut.result(10.0)
    next_one = pool.apply_async(nap)
    wake()
    assert next_one.result(10.0) >= 0.08


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_that_is_terminated_as_it_ends_wakes_no_other_job(pool: BasePool, name: str) -> None:
    wait, wake = WAITS[name]()
    ended = pool.apply_async(wait)
    eventlet.sleep(0.01)
    wake()
    ended.terminate()
    assert pool.apply_async(nap).result(10.0) >= 0.08
    assert ended.done()


def test_what_is_local_to_a_job_is_gone_with_it(pool: BasePool) -> None:
    local = threading.local()

    def count() -> int:
        local.count = getattr(local, "count", 0) + 1
        eventlet.sleep(0)
        return int(local.count)

    assert [pool.apply_async(count).result() for _ in range(10)] == [1] * 10
    assert [job.result() for job in [pool.apply_async(count) for _ in range(10)]] == [1] * 10


def test_a_timeout_that_a_job_left_behind_hits_no_other(pool: BasePool) -> None:
    def leave() -> None:
        eventlet.Timeout(0.03)

    left = pool.apply_async(leave)
    napping = pool.apply_async(nap)
    left.result(10.0)
    assert napping.result(10.0) >= 0.08


def test_nor_where_an_initializer_waits() -> None:
    """What holds a greenlet while it is woken by a descriptor is not taken for what holds it ever after."""

    def initialize() -> None:
        wait_and_be_woken("socket")

    def leave() -> None:
        eventlet.sleep(0)
        eventlet.Timeout(0.03)

    with pools.open("eventlet", 1, initializer=initialize) as initialized:
        left = initialized.apply_async(leave)
        assert initialized.apply_async(nap).result(10.0) >= 0.08
        left.result(10.0)


def test_a_timeout_hits_the_job_that_set_it(pool: BasePool) -> None:
    def wait() -> str:
        with eventlet.Timeout(0.02, False):
            eventlet.sleep(10.0)
            return "slept"
        return "timed out"

    assert pool.apply_async(wait).result(5.0) == "timed out"


def test_a_switch_that_a_job_left_behind_wakes_no_other(pool: BasePool) -> None:
    def leave() -> None:
        eventlet.spawn_after(0.03, eventlet.getcurrent().switch)

    pool.apply_async(leave)
    assert pool.apply_async(nap).result(10.0) >= 0.08


def test_threading_and_logging_know_where_they_are(pool: BasePool, caplog: pytest.LogCaptureFixture) -> None:
    def say() -> str:
        logging.getLogger("tests").warning("here")
        return threading.current_thread().name

    assert pool.apply_async(say).result() == "MainThread"
    assert [record.getMessage() for record in caplog.records] == ["here"]


def test_a_job_that_computes_is_interrupted_at_its_hard_limit(pool: BasePool) -> None:
    def compute() -> None:
        while True:
            sum(range(100))

    began = monotonic()
    error = pool.apply_async(compute, timeout=0.1).exception()
    assert isinstance(error, TimeLimitExceeded)
    assert "in compute" in error.stack
    assert monotonic() - began < 5.0
    assert pool.apply_async(abs, (-1,)).result(5.0) == 1


def test_a_job_that_waits_is_ended_where_it_waits(pool: BasePool) -> None:
    timed_out = pool.apply_async(eventlet.sleep, (3600.0,), timeout=0.05).exception(5.0)
    assert isinstance(timed_out, TimeLimitExceeded)
    assert "in sleep" in timed_out.stack
    waits = pool.apply_async(eventlet.sleep, (3600.0,))
    eventlet.sleep(0.01)
    pool.terminate_job(waits.slot_id)
    assert isinstance(waits.exception(5.0), Terminated)


def test_ten_thousand_jobs_sleep_at_once() -> None:
    with pools.open("eventlet", 10_000) as pool:
        began = monotonic()
        for _ in range(10_000):
            pool.apply_async(eventlet.sleep, (1.0,))
        pool.join()
        assert monotonic() - began < 4.0
