"""Whatever thread or signal handler calls it: eventlet's hub is for one thread, the pool is for all."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pools
from pools import Job
from pools.errors import Cancelled, Terminated
from pools.testing import targets
from pools_eventlet.calls import calls_of_hub
from pools_eventlet.event import Event
from pools_eventlet.library import eventlet, patcher
from tests.computing import terminate_when_it_runs

native = patcher.original("_thread")


def in_thread(call: Callable[[], Any]) -> Any:
    """Make a call in a native thread, while the hub goes on; returns what it returned."""
    ended, returned = Event(), []

    def run() -> None:
        returned.append(call())
        ended.set()

    native.start_new_thread(run, ())
    assert ended.wait(30.0)
    return returned[0]


def test_jobs_given_by_threads_all_run_on_the_hub_s_thread() -> None:
    threads, each = 4, 3000
    ended = [Event() for _ in range(threads)]
    with pools.open("eventlet", 8) as pool:
        jobs: list[list[Job]] = [[] for _ in range(threads)]

        def give(number: int) -> None:
            jobs[number] += [pool.apply_async(native.get_ident) for _ in range(each)]
            ended[number].set()

        for number in range(threads):
            native.start_new_thread(give, (number,))
        for event in ended:
            assert event.wait(30.0)
        pool.join()
        assert [len(given) for given in jobs] == [each] * threads
        assert {job.result() for given in jobs for job in given} == {native.get_ident()}


def test_a_thread_gives_jobs_one_by_one_and_waits_for_each() -> None:
    """Each of them has to wake a hub that sleeps."""
    with pools.open("eventlet", 2) as pool:
        assert in_thread(lambda: [pool.submit(abs, -n).result() for n in range(2000)]) == list(range(2000))


def test_threads_that_take_turns_quickly_lose_no_outcome() -> None:
    """Every switch from thread to thread is a chance to lose a wake-up: have thousands of them, by both interfaces."""
    threads, each = 3, 2000
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with pools.open("eventlet", 4) as pool:
            ended = [pool.new_event() for _ in range(threads)]
            sums = [0] * threads

            def add(number: int) -> None:
                for n in range(each):
                    sums[number] += pool.submit(abs, -n).result() + pool.apply_async(abs, (-n,)).result()
                ended[number].set()

            for number in range(threads):
                native.start_new_thread(add, (number,))
            assert [event.wait(30.0) for event in ended] == [True] * threads
            assert sums == [each * (each - 1)] * threads
    finally:
        sys.setswitchinterval(interval)


def test_a_thread_cancels_and_terminates() -> None:
    with pools.open("eventlet", 1) as pool:
        running = pool.apply_async(eventlet.sleep, (3600.0,))
        waiting = pool.apply_async(eventlet.sleep, (3600.0,))
        eventlet.sleep(0.01)
        assert in_thread(lambda: (running.cancel(), waiting.cancel())) == (False, True)
        assert in_thread(lambda: pool.terminate_job(running.slot_id)) is True
        assert isinstance(running.exception(5.0), Terminated)
        assert isinstance(waiting.exception(5.0), Cancelled)


def test_a_thread_terminates_a_job_that_computes() -> None:
    with pools.open("eventlet", 2) as pool:
        beside = pool.apply_async(eventlet.sleep, (3600.0,))
        for number in range(30):
            job = pool.apply_async(targets.compute, (30.0,))
            ended = in_thread(lambda: terminate_when_it_runs(job))  # noqa: B023 - called in this turn
            assert ended is True
            assert isinstance(job.exception(5.0), Terminated)
            assert pool.apply_async(abs, (-number,)).result(5.0) == number
        assert not beside.done()
        assert beside.terminate()


def test_a_thread_opens_grows_and_stops_a_pool_of_its_own() -> None:
    def use() -> int:
        with pools.open("eventlet", 1) as pool:
            pool.grow(3)
            return sum(pool.map(abs, range(-100, 0)))

    assert in_thread(use) == 5050


def test_a_thread_stops_a_pool_of_this_one() -> None:
    pool = pools.open("eventlet", 2)
    job = pool.apply_async(eventlet.sleep, (0.05,))
    in_thread(pool.stop)
    assert job.done()
    assert in_thread(lambda: (job.cancel(), job.terminate())) == (False, False)


def test_a_signal_handler_gives_jobs() -> None:
    jobs: list[Job] = []
    with pools.open("eventlet", 4) as pool:
        before = signal.signal(signal.SIGUSR1, lambda *_: jobs.append(pool.apply_async(abs, (-1,))))
        try:
            for _ in range(1000):
                os.kill(os.getpid(), signal.SIGUSR1)
                pool.apply_async(eventlet.sleep)
                eventlet.sleep(0)
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert [job.result(5.0) for job in jobs] == [1] * 1000


def test_what_a_call_raises_ends_neither_the_hub_nor_the_calls_after_it(capfd: pytest.CaptureFixture[str]) -> None:
    calls, ended = calls_of_hub(), Event()
    made: list[int] = []
    with pools.open("eventlet", 1):
        calls.add(int, "no number")
        calls.add(made.append, 1)
        calls.add(ended.set)
        assert ended.wait(5.0)
    assert made == [1]
    assert "invalid literal for int()" in capfd.readouterr().err


def test_a_keyboard_interrupt_in_the_hub_loses_no_call() -> None:
    with pools.open("eventlet", 1) as pool:

        def interrupt() -> None:
            raise KeyboardInterrupt

        calls_of_hub().add(interrupt)
        job = pool.apply_async(abs, (-1,))
        with pytest.raises(KeyboardInterrupt):
            eventlet.sleep(10.0)
        assert job.result(5.0) == 1


def test_fifty_pools_leave_no_descriptor() -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def cycle() -> None:
        with pools.open("eventlet", 2, timeout=10.0) as pool:
            pool.apply_async(abs, (-1,)).result()
            assert in_thread(lambda: pool.submit(abs, -1).result()) == 1

    cycle()
    before = descriptors()
    for _ in range(50):
        cycle()
        assert descriptors() == before
    assert calls_of_hub().add(print) is False
