"""``pool.timer``: calls made later, which hold no job up, and of which nothing is left when the pool has stopped."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import pytest

from pools import BasePool
from tests.contract.conftest import OpenPool
from tests.contract.records import AMPLE, PATIENCE, apply, spend, wait

#: Seconds after which what was cancelled would have been called.
SOON = 0.02


class Calls:
    """What a timer calls: notes when.

    Attributes:
        made: The times of the calls, each with its arguments.
    """

    def __init__(self, pool: BasePool) -> None:
        self.made: list[tuple[float, tuple[Any, ...], dict[str, Any]]] = []
        self._pool = pool
        self._news = pool.new_event()

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.made.append((time.monotonic(), args, kwargs))
        self._news.set()

    def wait(self, count: int) -> None:
        """Wait until so many calls were made."""
        while len(self.made) < count:
            self._news = self._pool.new_event()
            if len(self.made) < count:
                wait(self._news)


def test_call_after(open_pool: OpenPool) -> None:
    """Once, not before its time, with its arguments."""
    pool = open_pool()
    calls = Calls(pool)
    before = time.monotonic()
    entry = pool.timer.call_after(0.01, calls, (1, 2), {"key": "word"})
    assert entry.when >= before + 0.01
    calls.wait(1)
    spend(SOON)
    ((when, args, kwargs),) = calls.made
    assert when >= entry.when
    assert (args, kwargs) == ((1, 2), {"key": "word"})


def test_call_at(open_pool: OpenPool) -> None:
    """At a time of ``time.monotonic()``; at once if that has passed."""
    pool = open_pool()
    calls = Calls(pool)
    when = time.monotonic() + 0.01
    assert pool.timer.call_at(when, calls, ("then",)).when == when
    pool.timer.call_at(when - 3600, calls, ("at once",))
    calls.wait(2)
    assert [args for _, args, _ in calls.made] == [("at once",), ("then",)]
    assert calls.made[1][0] >= when


def test_call_repeatedly(open_pool: OpenPool) -> None:
    """First in ``seconds``, and then every ``seconds``, until it is cancelled."""
    pool = open_pool()
    calls = Calls(pool)
    begin = time.monotonic()
    entry = pool.timer.call_repeatedly(0.004, calls)
    calls.wait(5)
    entry.cancel()
    made = len(calls.made)
    spend(SOON)
    assert len(calls.made) <= made + 1
    for number, (when, _, _) in enumerate(calls.made, start=1):
        assert when >= begin + number * 0.004


@pytest.mark.parametrize("seconds", [0, -1])
def test_an_interval_without_meaning(open_pool: OpenPool, seconds: float) -> None:
    """What is repeated needs a positive interval."""
    with pytest.raises(ValueError, match=f"^call_repeatedly wants a positive number of seconds, not {seconds}$"):
        open_pool().timer.call_repeatedly(seconds, int)


def test_the_order_of_entries(open_pool: OpenPool) -> None:
    """By their times, whatever order they arrived in."""
    pool = open_pool()
    calls = Calls(pool)
    base = time.monotonic() + 0.01
    for number in (3, 1, 4, 2, 0):
        pool.timer.call_at(base + number * 0.004, calls, (number,))
    calls.wait(5)
    assert [args for _, args, _ in calls.made] == [(number,) for number in range(5)]


@pytest.mark.parametrize("by_entry", [True, False])
def test_cancel(open_pool: OpenPool, by_entry: bool) -> None:
    """A cancelled call is not made, and those around it are; a second time, and too late, changes nothing."""
    pool = open_pool()
    calls = Calls(pool)
    entries = [pool.timer.call_after(AMPLE, calls, (number,)) for number in range(3)]
    for _ in range(2):
        if by_entry:
            entries[1].cancel()
        else:
            pool.timer.cancel(entries[1])
    assert [entry.cancelled for entry in entries] == [False, True, False]
    calls.wait(2)
    pool.timer.cancel(entries[0])
    spend(SOON)
    assert [args for _, args, _ in calls.made] == [(0,), (2,)]


def test_clear(open_pool: OpenPool) -> None:
    """Every scheduled call is cancelled; the timer goes on."""
    pool = open_pool()
    calls = Calls(pool)
    entries = [pool.timer.call_after(AMPLE, calls), pool.timer.call_repeatedly(AMPLE, calls)]
    pool.timer.clear()
    assert all(entry.cancelled for entry in entries)
    spend(AMPLE + SOON)
    assert calls.made == []
    pool.timer.call_after(0.0, calls, ("later",))
    calls.wait(1)
    assert calls.made[0][1] == ("later",)


@pytest.mark.parametrize("how", ["cancel", "clear", "stop"])
def test_a_repeated_call_ends_itself(open_pool: OpenPool, how: str) -> None:
    """``cancel``, ``clear`` and ``stop`` from within the call that is being made: it was the last one."""
    pool = open_pool()
    calls = Calls(pool)

    def call() -> None:
        if how == "cancel":
            entry.cancel()
        else:
            getattr(pool.timer, how)()
        calls()

    entry = pool.timer.call_repeatedly(0.005, call)
    calls.wait(1)
    spend(SOON)
    assert len(calls.made) == 1
    pool.timer.call_after(0.0, calls)
    calls.wait(2)


def test_a_call_schedules_another(open_pool: OpenPool) -> None:
    """From within a scheduled call."""
    pool = open_pool()
    calls = Calls(pool)
    pool.timer.call_after(0.0, lambda: pool.timer.call_after(0.0, calls))
    calls.wait(1)


@pytest.mark.parametrize("error", [ValueError("call"), SystemExit(3), KeyboardInterrupt()])
def test_a_call_that_raises(open_pool: OpenPool, caplog: pytest.LogCaptureFixture, error: BaseException) -> None:
    """It is logged; the calls after it are made, its own repetitions too."""
    pool = open_pool()
    calls = Calls(pool)

    def fail() -> None:
        calls()
        raise error

    entry = pool.timer.call_repeatedly(0.002, fail)
    calls.wait(3)
    pool.timer.cancel(entry)
    pool.timer.call_after(0.0, calls, ("after",))
    while calls.made[-1][1] != ("after",):
        calls.wait(len(calls.made) + 1)
    pool.timer.stop()
    logged = [record for record in caplog.records if record.getMessage().startswith("a scheduled call to ")]
    assert len(logged) == len(calls.made) - 1
    assert apply(pool, divmod, 7, 2).value() == (3, 1)
    caplog.clear()


def test_a_slow_call_delays_no_job(open_pool: OpenPool) -> None:
    """Jobs begin and end while a scheduled call waits."""
    pool = open_pool()
    begun, release, calls = pool.new_event(), pool.new_event(), Calls(pool)

    def slow() -> None:
        begun.set()
        wait(release)
        calls()

    pool.timer.call_after(0.0, slow)
    wait(begun)
    for _ in range(10):
        assert apply(pool, divmod, 7, 2).value() == (3, 1)
    assert calls.made == []
    release.set()
    calls.wait(1)


@pytest.mark.needs("hard_timeout")
def test_a_slow_call_delays_no_limit(open_pool: OpenPool) -> None:
    """Limits pass while a scheduled call waits."""
    pool = open_pool()
    begun, release = pool.new_event(), pool.new_event()

    def slow() -> None:
        begun.set()
        wait(release)

    pool.timer.call_after(0.0, slow)
    wait(begun)
    record = apply(pool, spend, PATIENCE, timeout=0.01)
    record.error()
    release.set()


def test_calls_are_made_while_jobs_run(open_pool: OpenPool) -> None:
    """A pool whose slots are all taken makes its scheduled calls all the same."""
    pool = open_pool()
    calls = Calls(pool)

    def target() -> int:
        pool.timer.call_after(0.0, calls)
        calls.wait(1)
        return len(calls.made)

    assert pool.apply_async(target).result(PATIENCE) == 1


def test_nothing_is_left_of_a_stopped_pool(open_pool: OpenPool) -> None:
    """No call is made after ``stop``, and what was to be called is not kept."""
    pool = open_pool()
    calls = Calls(pool)
    watched = weakref.ref(calls)
    for seconds in (0.005, 0.01, 3600.0):
        pool.timer.call_after(seconds, calls)
    pool.timer.call_repeatedly(0.005, calls)
    pool.stop()
    made = len(calls.made)
    spend(SOON)
    assert len(calls.made) == made
    del calls
    gc.collect()
    assert watched() is None


def test_what_was_called_is_not_kept(open_pool: OpenPool) -> None:
    """Nor does a timer keep what it has called."""
    pool = open_pool()
    calls = Calls(pool)
    watched = weakref.ref(calls)
    pool.timer.call_after(0.0, calls)
    calls.wait(1)
    del calls
    end = time.monotonic() + PATIENCE
    while watched() is not None and time.monotonic() < end:
        gc.collect()
        spend(0.001)
    assert watched() is None


def test_each_life_has_its_timer(open_pool: OpenPool) -> None:
    """A pool that was started again makes the calls of its new life, and none of the one before."""
    pool = open_pool()
    old, new = Calls(pool), Calls(pool)
    pool.timer.call_after(0.01, old)
    pool.restart()
    restarted_at = time.monotonic()
    pool.timer.call_after(0.01, new)
    new.wait(1)
    spend(SOON)
    assert len(new.made) == 1
    assert [when for when, _, _ in old.made if when >= restarted_at] == []
