"""A pool goes from one loop to another, outlives its loop, and never holds its host's loop up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from kombu.asynchronous import Hub

from pools_prefork.pool import PreforkPool
from tests.prefork.conftest import OpenPool
from tests.prefork.hosts import HOSTS, PATIENCE, AsyncioHost, Host, KombuHost
from tests.prefork.targets import spend

#: The longest that a timer on the host's loop may be late, in seconds.
LATE = 0.1
LARGE = bytes(64 << 20)


def check(pool: PreforkPool) -> None:
    """The pool does all that it needs its loop for."""
    assert pool.submit(divmod, 7, 2).result(PATIENCE) == (3, 1)
    assert isinstance(pool.apply_async(spend, (PATIENCE,), timeout=0.05).exception(PATIENCE), Exception)


@pytest.mark.parametrize("first", HOSTS)
@pytest.mark.parametrize("second", ["asyncio", "kombu"])
def test_a_pool_moves_from_loop_to_loop(open_pool: OpenPool, first: str, second: str) -> None:
    one, other = HOSTS[first](), HOSTS[second]()
    pool = one.take(open_pool(2))
    check(pool)
    jobs = [pool.submit(spend, 0.01) for _ in range(20)]
    other.take(pool)
    assert all(job.result(PATIENCE) for job in jobs)
    check(pool)
    one.close()
    check(pool)
    pool.stop()
    other.close()


def test_a_pool_registers_again_with_a_hub_that_was_reset(open_pool: OpenPool) -> None:
    host = KombuHost()
    pool = host.take(open_pool(2))
    check(pool)

    def reconnect() -> None:
        host.reset()
        pool.register_with_event_loop(host.loop)

    for _ in range(3):
        jobs = [pool.submit(spend, 0.01) for _ in range(10)]
        host.call(reconnect)
        assert all(job.result(PATIENCE) for job in jobs)
        check(pool)
    pool.stop()
    host.close()


def test_a_pool_registers_again_with_the_same_loop(open_pool: OpenPool) -> None:
    host = AsyncioHost()
    pool = host.take(open_pool(2))
    for _ in range(3):
        jobs = [pool.submit(spend, 0.01) for _ in range(10)]
        host.take(pool)
        assert all(job.result(PATIENCE) for job in jobs)
    check(pool)
    pool.stop()
    host.close()


def test_an_asyncio_loop_that_was_closed_does_not_keep_its_pool_from_stopping(open_pool: OpenPool) -> None:
    pool = open_pool(2)

    async def main() -> int:
        pool.register_with_event_loop(asyncio.get_running_loop())
        return await pool.run(abs, -1)

    assert asyncio.run(main()) == 1
    job = pool.submit(spend, 0.05)
    pool.stop()
    assert job.done()


def test_a_hub_that_was_closed_does_not_keep_its_pool_from_stopping(open_pool: OpenPool) -> None:
    pool = open_pool(2)
    hub = Hub()
    pool.register_with_event_loop(hub)
    job = pool.apply_async(abs, (-1,))
    while not job.done():
        hub.run_once()
    hub.close()
    job = pool.apply_async(spend, (0.05,))
    pool.stop()
    assert job.done()


@pytest.mark.parametrize("kind", ["asyncio", "kombu"])
def test_another_thread_stops_a_pool_whose_loop_runs_on(open_pool: OpenPool, kind: str) -> None:
    host = HOSTS[kind]()
    for _ in range(5):
        pool = host.take(open_pool(2))
        jobs = [pool.submit(abs, -n) for n in range(100)]
        pool.stop()
        assert all(job.done() for job in jobs)
    assert host.call(lambda: "it turns") == "it turns"
    host.close()


def waited_for_a_processor() -> float:
    """For how many seconds in all the calling thread could run and did not, as the kernel counts them."""
    _, waited, _ = Path("/proc/thread-self/schedstat").read_text().split()
    return int(waited) / 1e9


class Timer:
    """Calls itself on a host's loop over and over, and notes how late it comes.

    Not counted is the time for which the loop's thread could run and the machine had others to serve.
    """

    def __init__(self, host: Host) -> None:
        self.loop = host.loop
        self.latest = 0.0
        self.count = 0
        self._ended = False

    def begin(self) -> None:
        self._ask()

    def end(self) -> None:
        self._ended = True

    def _ask(self) -> None:
        assert self.loop is not None
        self.loop.call_later(0.01, self._ring, monotonic() + 0.01, waited_for_a_processor())

    def _ring(self, due: float, waited: float) -> None:
        self.latest = max(self.latest, monotonic() - due - (waited_for_a_processor() - waited))
        self.count += 1
        if not self._ended:
            self._ask()


@pytest.mark.parametrize("kind", ["asyncio", "kombu"])
def test_a_large_message_to_a_busy_child_does_not_hold_the_loop_up(open_pool: OpenPool, kind: str) -> None:
    host = HOSTS[kind]()
    pool = host.take(open_pool(2))
    check(pool)
    timer = Timer(host)
    host.call(timer.begin)
    slow = [pool.submit(spend, 0.3) for _ in range(2)]
    large = [pool.submit(len, LARGE) for _ in range(2)]
    assert all(job.result(PATIENCE) for job in slow)
    assert [job.result(PATIENCE) for job in large] == [len(LARGE)] * 2
    host.call(timer.end)
    assert timer.count > 20
    assert timer.latest < LATE
    pool.stop()
    host.close()


def test_nothing_of_a_host_that_does_not_turn_is_waited_for_by_who_submits(open_pool: OpenPool) -> None:
    host = AsyncioHost()
    pool = host.take(open_pool(2))
    check(pool)
    release = threading.Event()
    held = threading.Thread(target=host.call, args=(release.wait,))
    held.start()
    began = monotonic()
    jobs = [pool.apply_async(abs, (-n,)) for n in range(100)]
    assert monotonic() - began < PATIENCE / 2
    time.sleep(0.02)
    release.set()
    held.join()
    assert [job.result(PATIENCE) for job in jobs] == list(range(100))
    pool.stop()
    host.close()


def test_a_callback_may_submit_on_every_loop(open_pool: OpenPool) -> None:
    for kind in HOSTS:
        host = HOSTS[kind]()
        pool = host.take(open_pool(2))
        ended = threading.Event()
        depth = 0

        def again(value: int, pool: PreforkPool = pool, ended: threading.Event = ended) -> None:
            nonlocal depth
            depth += 1
            if depth == 50:
                ended.set()
            else:
                call: Callable[..., object] = pool.apply_async
                call(abs, (-value - 1,), callback=again)

        pool.apply_async(abs, (0,), callback=again)
        assert ended.wait(PATIENCE)
        pool.stop()
        host.close()
