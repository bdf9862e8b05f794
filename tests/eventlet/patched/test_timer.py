"""The timer of the pool: each call in a greenlet of its own."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pools
from pools_eventlet.event import Event
from pools_eventlet.library import eventlet, hubs


def pending() -> int:
    hub: Any = hubs.get_hub()
    return sum(timer.pending for _, timer in [*hub.timers, *hub.next_timers])


def test_calls_are_made_in_the_order_of_their_times() -> None:
    made: list[str] = []
    ended = Event()
    with pools.open("eventlet", 1) as pool:
        pool.timer.call_after(0.06, ended.set)
        pool.timer.call_after(0.04, made.append, ("second",))
        pool.timer.call_at(monotonic() + 0.02, made.append, ("first",))
        pool.timer.call_after(0.03, made.append, ("never",)).cancel()
        assert ended.wait(5.0)
    assert made == ["first", "second"]


def test_a_call_that_waits_holds_up_neither_jobs_nor_other_calls() -> None:
    release, ended = Event(), Event()
    with pools.open("eventlet", 1) as pool:
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

    with pools.open("eventlet", 1) as pool:
        began = monotonic()
        entry = pool.timer.call_repeatedly(0.02, note)
        assert ended.wait(5.0)
        eventlet.sleep(0.05)
    assert len(times) == 3
    assert times[2] - began >= 0.06


def test_cancelling_does_not_switch_to_another_greenlet() -> None:
    ran: list[int] = []
    with pools.open("eventlet", 1) as pool:
        eventlet.spawn_after(0, ran.append, 1)
        entry = pool.timer.call_after(60.0, ran.append, (0,))
        pool.timer.cancel(entry)
        pool.timer.clear()
        assert ran == []


def test_a_stopped_pool_leaves_no_call_behind() -> None:
    eventlet.sleep(0)
    before = pending()
    with pools.open("eventlet", 1) as pool:
        pool.timer.call_after(3600.0, print)
        pool.timer.call_repeatedly(3600.0, print)
        assert pending() == before + 2
    eventlet.sleep(0.01)
    assert pending() == before


def test_a_stopped_pool_leaves_no_alarm_for_limits() -> None:
    eventlet.sleep(0)
    before = pending()
    with pools.open("eventlet", 2, timeout=3600.0, soft_timeout=1800.0) as pool:
        pool.apply_async(abs, (-1,)).result()
        pool.apply_async(abs, (-1,), timeout=900.0).result()
    eventlet.sleep(0.01)
    assert pending() == before
