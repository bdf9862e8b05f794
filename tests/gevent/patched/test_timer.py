"""The timer of the pool: each call in a greenlet of its own."""

from __future__ import annotations

from time import monotonic

import gevent
from gevent.event import Event

import pools


def test_calls_are_made_in_the_order_of_their_times() -> None:
    made: list[str] = []
    ended = Event()
    with pools.open("gevent", 1) as pool:
        pool.timer.call_after(0.06, ended.set)
        pool.timer.call_after(0.04, made.append, ("second",))
        pool.timer.call_at(monotonic() + 0.02, made.append, ("first",))
        pool.timer.call_after(0.03, made.append, ("never",)).cancel()
        assert ended.wait(5.0)
    assert made == ["first", "second"]


def test_a_call_that_waits_holds_up_neither_jobs_nor_other_calls() -> None:
    release, ended = Event(), Event()
    with pools.open("gevent", 1) as pool:
        pool.timer.call_after(0.0, release.wait)
        pool.timer.call_after(0.01, ended.set)
        assert ended.wait(5.0)
        assert pool.apply_async(abs, (-1,)).result(5.0) == 1
        release.set()


def test_repeated_calls_end_with_their_cancellation() -> None:
    times: list[float] = []
    ended = Event()

    def note() -> None:
        times.append(monotonic())
        if len(times) == 3:
            pool.timer.cancel(entry)
            ended.set()

    with pools.open("gevent", 1) as pool:
        began = monotonic()
        entry = pool.timer.call_repeatedly(0.02, note)
        assert ended.wait(5.0)
        gevent.sleep(0.05)
    assert len(times) == 3
    assert times[2] - began >= 0.06


def test_a_stopped_pool_leaves_nothing_that_its_hub_waits_for() -> None:
    """Neither scheduled calls nor the alarm for limits: the hub says that it has nothing to do."""
    with pools.open("gevent", 1, timeout=3600.0) as pool:
        pool.apply_async(abs, (-1,)).result()
        pool.timer.call_after(3600.0, print)
        pool.timer.call_repeatedly(3600.0, print)
        assert gevent.wait(timeout=0.01) is False
    assert gevent.wait(timeout=5.0) is True
