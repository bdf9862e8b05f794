"""Whatever thread calls it: the pool's hub does the work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent import monkey

import pools
from pools import BasePool, Job
from pools.errors import Cancelled, Terminated
from pools.testing import targets
from tests.computing import terminate_when_it_runs

start_new_thread = monkey.get_original("_thread", "start_new_thread")
allocate_lock = monkey.get_original("_thread", "allocate_lock")
get_ident = monkey.get_original("_thread", "get_ident")


def in_thread(pool: BasePool, call: Callable[[], Any]) -> Any:
    """Make a call in a native thread, while the hub goes on; returns what it returned."""
    ended, returned = pool.new_event(), []

    def run() -> None:
        returned.append(call())
        ended.set()

    start_new_thread(run, ())
    assert ended.wait(30.0)
    return returned[0]


def test_jobs_given_by_threads_all_run_on_the_hub_s_thread() -> None:
    threads, each = 4, 3000
    with pools.open("gevent", 8) as pool:
        ended = [pool.new_event() for _ in range(threads)]
        jobs: list[list[Job]] = [[] for _ in range(threads)]

        def give(number: int) -> None:
            jobs[number] += [pool.apply_async(get_ident) for _ in range(each)]
            ended[number].set()

        for number in range(threads):
            start_new_thread(give, (number,))
        for event in ended:
            assert event.wait(30.0)
        pool.join()
        assert [len(given) for given in jobs] == [each] * threads
        assert {job.result() for given in jobs for job in given} == {get_ident()}


def test_a_thread_gives_jobs_one_by_one_and_waits_for_each() -> None:
    """Each of them has to wake a hub that sleeps."""
    with pools.open("gevent", 2) as pool:
        assert in_thread(pool, lambda: [pool.submit(abs, -n).result() for n in range(2000)]) == list(range(2000))


def test_threads_that_take_turns_quickly_lose_no_outcome() -> None:
    """Every switch from thread to thread is a chance to lose a wake-up: have thousands of them, by both interfaces."""
    threads, each = 3, 2000
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with pools.open("gevent", 4) as pool:
            ended = [pool.new_event() for _ in range(threads)]
            sums = [0] * threads

            def add(number: int) -> None:
                for n in range(each):
                    sums[number] += pool.submit(abs, -n).result() + pool.apply_async(abs, (-n,)).result()
                ended[number].set()

            for number in range(threads):
                start_new_thread(add, (number,))
            assert [event.wait(30.0) for event in ended] == [True] * threads
            assert sums == [each * (each - 1)] * threads
    finally:
        sys.setswitchinterval(interval)


def test_gevent_s_own_threads_give_jobs_to_the_pool_of_the_main_thread() -> None:
    with pools.open("gevent", 2) as pool:
        threads = gevent.get_hub().threadpool
        jobs = threads.map(lambda n: pool.apply_async(abs, (-n,)), range(2000))
        assert [job.result(5.0) for job in jobs] == list(range(2000))


def test_a_thread_cancels_and_terminates() -> None:
    with pools.open("gevent", 1) as pool:
        running = pool.apply_async(gevent.sleep, (3600.0,))
        waiting = pool.apply_async(gevent.sleep, (3600.0,))
        gevent.sleep(0.01)
        assert in_thread(pool, lambda: (running.cancel(), waiting.cancel())) == (False, True)
        assert in_thread(pool, lambda: pool.terminate_job(running.slot_id)) is True
        assert isinstance(running.exception(5.0), Terminated)
        assert isinstance(waiting.exception(5.0), Cancelled)


def test_a_thread_terminates_a_job_that_computes() -> None:
    with pools.open("gevent", 2) as pool:
        beside = pool.apply_async(gevent.sleep, (3600.0,))
        for number in range(30):
            job = pool.apply_async(targets.compute, (30.0,))
            ended = in_thread(pool, lambda: terminate_when_it_runs(job))  # noqa: B023 - called in this turn
            assert ended is True
            assert isinstance(job.exception(5.0), Terminated)
            assert pool.apply_async(abs, (-number,)).result(5.0) == number
        assert not beside.done()
        assert beside.terminate()


def test_a_thread_stops_a_pool_of_this_one() -> None:
    pool = pools.open("gevent", 2)
    job = pool.apply_async(gevent.sleep, (0.05,))
    in_thread(pool, pool.stop)
    assert job.done()
    assert in_thread(pool, lambda: (job.cancel(), job.terminate())) == (False, False)


def test_fifty_pools_leave_no_descriptor() -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def cycle() -> None:
        with pools.open("gevent", 2, timeout=10.0) as pool:
            pool.apply_async(abs, (-1,)).result()
            assert in_thread(pool, lambda: pool.apply_async(abs, (-1,)).correlation_id) is None

    cycle()
    before = descriptors()
    for _ in range(50):
        cycle()
        assert descriptors() == before


def test_threads_leave_the_count_of_the_loop_alone() -> None:
    """The loop changes it without Python's lock; once it comes out too low, every wait ends in ``LoopExit``."""
    loop = gevent.get_hub().loop
    counts: list[int] = []
    ended = allocate_lock()
    ended.acquire()
    with pools.open("gevent", 1) as pool:
        event = pool.new_event()
        waiting = gevent.spawn(event.wait)
        gevent.sleep(0.01)

        def give() -> None:
            counts.append(loop.activecnt)
            pool.apply_async(abs, (-1,))
            event.set()
            counts.append(loop.activecnt)
            ended.release()

        start_new_thread(give, ())
        ended.acquire()  # the hub does not run meanwhile
        assert counts[0] == counts[1]
        assert waiting.get(timeout=30.0) is True
        assert pool.join(30.0)
