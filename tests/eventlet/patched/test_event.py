"""The pool's event: greenlets and native threads wait on it and set it, in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

import pools
from pools import BasePool
from pools_eventlet.event import Event
from pools_eventlet.library import eventlet, hubs, patcher

start_new_thread = patcher.original("_thread").start_new_thread
native_sleep = patcher.original("time").sleep


@pytest.fixture
def pool() -> Iterator[BasePool]:
    with pools.open("eventlet", 10) as pool:
        yield pool


def test_an_event_is_set_once_and_for_all() -> None:
    event = Event()
    assert event.wait(0.0) is False
    assert event.wait(-1.0) is False
    event.set()
    event.set()
    assert event.wait() is True
    assert event.wait(0.0) is True


def test_greenlets_and_threads_wait_for_one_event(pool: BasePool) -> None:
    event, ended, count = Event(), Event(), 4
    woken: list[str] = []

    def wait(name: str) -> None:
        event.wait()
        woken.append(name)
        if len(woken) == 2 * count:
            ended.set()

    for _ in range(count):
        start_new_thread(wait, ("thread",))
        pool.apply_async(wait, ("greenlet",))
    assert event.wait(0.02) is False
    assert woken == []
    event.set()
    assert ended.wait(5.0)
    assert sorted(woken) == ["greenlet"] * count + ["thread"] * count


def test_a_thread_wakes_greenlets_at_once(pool: BasePool) -> None:
    event = Event()

    def set_later() -> None:
        native_sleep(0.05)
        event.set()

    start_new_thread(set_later, ())
    began = monotonic()
    assert event.wait(10.0)
    assert monotonic() - began < 5.0


def test_threads_and_greenlets_hand_over_to_each_other_thousands_of_times(pool: BasePool) -> None:
    turns = 2000
    to_thread, to_greenlet = [Event() for _ in range(turns)], [Event() for _ in range(turns)]

    def answer() -> None:
        for turn in range(turns):
            to_thread[turn].wait()
            to_greenlet[turn].set()

    start_new_thread(answer, ())
    for turn in range(turns):
        to_thread[turn].set()
        assert to_greenlet[turn].wait(5.0)


def test_a_wait_holds_up_no_other_greenlet(pool: BasePool) -> None:
    event = Event()
    job = pool.apply_async(event.wait, (0.2,))
    assert [pool.apply_async(int, (str(n),)).result() for n in range(20)] == list(range(20))
    assert not job.done()
    assert job.result() is False


def test_a_switch_from_elsewhere_does_not_end_a_wait(pool: BasePool) -> None:
    event = Event()

    def wait() -> tuple[bool, bool]:
        eventlet.spawn_after(0, eventlet.getcurrent().switch)
        return event.wait(0.05), event.wait(0.0)

    assert pool.apply_async(wait).result() == (False, False)


def test_whoever_stops_waiting_leaves_nothing(pool: BasePool) -> None:
    """Neither a limit nor a time-out leaves a timer, nor a switch that would hit the slot's next job."""
    hub: Any = hubs.get_hub()
    event = Event()
    with pools.open("eventlet", 1) as one:
        assert isinstance(
            one.apply_async(event.wait, (3600.0,), soft_timeout=0.02).exception(), pools.errors.SoftTimeLimitExceeded
        )
        napping = one.apply_async(eventlet.sleep, (0.1,))
        eventlet.sleep(0.01)
        event.set()
        eventlet.sleep(0.01)
        assert not napping.done()
        napping.result()
    eventlet.sleep(0)
    assert [timer for when, timer in hub.timers if timer.pending and when > hub.clock() + 1000.0] == []


def test_an_event_works_where_no_pool_runs() -> None:
    event = Event()
    start_new_thread(event.set, ())
    assert event.wait(5.0)
