"""Jobs run in greenlets that are used again, and nothing of a job reaches the next one."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from time import monotonic

import gevent
import pytest
from gevent.event import AsyncResult, Event
from gevent.local import local
from gevent.lock import Semaphore
from gevent.queue import Queue

import pools
from pools import BasePool
from pools.errors import SoftTimeLimitExceeded, TimeLimitExceeded

#: What waits, and what ends that (harmless when nobody waits any more).
Wait = tuple[Callable[[], object], Callable[[], object]]


def _queue() -> Wait:
    items: Queue[int] = Queue()
    return items.get, lambda: items.put(1)


def _event() -> Wait:
    event = Event()
    return event.wait, event.set


def _event_for_a_time() -> Wait:
    event = Event()
    return lambda: event.wait(0.05), event.set


def _result() -> Wait:
    result: AsyncResult[int] = AsyncResult()
    return result.get, lambda: result.set(1)


def _semaphore() -> Wait:
    semaphore = Semaphore(0)
    return semaphore.acquire, semaphore.release


def _greenlet() -> Wait:
    event = Event()
    return gevent.spawn(event.wait).join, event.set


def _socket() -> Wait:
    ours, theirs = socket.socketpair()

    def receive() -> None:
        with ours, theirs:
            ours.recv(1)

    def send() -> None:
        with contextlib.suppress(OSError):
            theirs.send(b"x")

    return receive, send


def _condition() -> Wait:
    event = threading.Event()
    return lambda: event.wait(5.0), event.set


WAITS: dict[str, Callable[[], Wait]] = {
    wait.__name__.strip("_"): wait
    for wait in (_queue, _event, _event_for_a_time, _result, _semaphore, _greenlet, _socket, _condition)
}


@pytest.fixture
def pool() -> Iterator[BasePool]:
    """A pool with one slot."""
    with pools.open("gevent", 1) as pool:
        yield pool


def nap() -> float:
    """Sleep for 0.08 s; returns for how long that was."""
    began = monotonic()
    gevent.sleep(0.08)
    return monotonic() - began


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
    gevent.sleep(0.01)
    wake()
    ended.terminate()
    assert pool.apply_async(nap).result(10.0) >= 0.08
    assert ended.done()


@pytest.mark.parametrize("kind", [local, threading.local])
def test_what_is_local_to_a_job_is_gone_with_it(pool: BasePool, kind: Callable[[], threading.local]) -> None:
    mine = kind()

    def count() -> int:
        mine.count = getattr(mine, "count", 0) + 1
        gevent.sleep(0)
        return int(mine.count)

    assert [pool.apply_async(count).result() for _ in range(10)] == [1] * 10
    assert [job.result() for job in [pool.apply_async(count) for _ in range(10)]] == [1] * 10


def leave_a_timeout() -> None:
    gevent.sleep(0)
    gevent.Timeout.start_new(0.03)


def test_a_timeout_that_a_job_left_behind_hits_no_other(pool: BasePool) -> None:
    left, napping = pool.apply_async(leave_a_timeout), pool.apply_async(nap)
    left.result(10.0)
    assert napping.result(10.0) >= 0.08


def test_nor_where_an_initializer_waits() -> None:
    def initialize() -> None:
        receive, send = _socket()
        gevent.spawn_later(0.01, send)
        receive()

    with pools.open("gevent", 1, initializer=initialize) as initialized:
        left, napping = initialized.apply_async(leave_a_timeout), initialized.apply_async(nap)
        left.result(10.0)
        assert napping.result(10.0) >= 0.08


def test_a_job_that_computes_is_interrupted_at_its_hard_limit(pool: BasePool) -> None:
    def compute() -> None:
        while True:
            sum(range(100))

    error = pool.apply_async(compute, timeout=0.1).exception()
    assert isinstance(error, TimeLimitExceeded)
    assert "in compute" in error.stack
    assert pool.apply_async(abs, (-1,)).result(5.0) == 1


def test_ten_thousand_jobs_sleep_at_once() -> None:
    with pools.open("gevent", 10_000) as pool:
        began = monotonic()
        for _ in range(10_000):
            pool.apply_async(gevent.sleep, (1.0,))
        pool.join()
        assert monotonic() - began < 4.0
