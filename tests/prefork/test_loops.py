"""The same pool, driven by its own thread, by asyncio and by kombu's hub: the essentials, each under all three."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from pools.errors import PoolStateError, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded, WorkerLostError
from pools_prefork.pool import PreforkPool
from tests.prefork.conftest import OpenPool
from tests.prefork.hosts import HOSTS, PATIENCE, Host
from tests.prefork.targets import spend

Driven = Callable[..., PreforkPool]


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, open_pool: OpenPool) -> Iterator[Host]:
    """A host; it ends before the pool does, if a test leaves that to ``open_pool``."""
    host = HOSTS[request.param]()
    yield host
    host.close()


@pytest.fixture
def driven(host: Host, open_pool: OpenPool) -> Driven:
    """Opens a pool that the host drives."""
    return lambda concurrency=2, **options: host.take(open_pool(concurrency, **options))


def pids(pool: PreforkPool) -> set[int]:
    return {child["pid"] for child in pool.info["children"]}


def test_values_and_errors_come_back(driven: Driven) -> None:
    pool = driven()
    told: list[object] = []
    job = pool.apply_async(divmod, (7, 2), callback=told.append, accept_callback=lambda *_: told.append("accepted"))
    bad = pool.apply_async(divmod, (7, 0), error_callback=told.append)
    assert job.result(PATIENCE) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        bad.result(PATIENCE)
    pool.stop()
    assert told.index("accepted") < told.index((3, 1))
    assert len(told) == 3


def test_limits_end_jobs(driven: Driven) -> None:
    pool = driven()
    soft = pool.apply_async(spend, (PATIENCE,), soft_timeout=0.05)
    hard = pool.apply_async(spend, (PATIENCE,), timeout=0.1)
    with pytest.raises(SoftTimeLimitExceeded):
        soft.result(PATIENCE)
    with pytest.raises(TimeLimitExceeded) as caught:
        hard.result(PATIENCE)
    assert "spend" in caught.value.stack
    assert pool.submit(abs, -1).result(PATIENCE) == 1


def test_a_job_is_terminated(driven: Driven) -> None:
    pool = driven()
    begun = threading.Event()
    job = pool.apply_async(spend, (PATIENCE,), accept_callback=lambda *_: begun.set())
    assert begun.wait(PATIENCE)
    assert job.terminate(signal.SIGKILL)
    with pytest.raises(Terminated):
        job.result(0)
    assert pool.submit(abs, -1).result(PATIENCE) == 1


def test_the_job_of_a_dead_child_is_lost_and_no_other(driven: Driven, caplog: pytest.LogCaptureFixture) -> None:
    pool = driven()
    others = [pool.submit(spend, 0.02) for _ in range(5)]
    lost = pool.apply_async(os._exit, (3,))
    others += [pool.submit(spend, 0.02) for _ in range(5)]
    with pytest.raises(WorkerLostError, match="exited with code 3"):
        lost.result(PATIENCE)
    assert all(other.result(PATIENCE) for other in others)
    caplog.clear()


def test_children_are_recycled(driven: Driven) -> None:
    pool = driven(max_tasks_per_child=3)
    found = [job.result(PATIENCE) for job in [pool.submit(os.getpid) for _ in range(30)]]
    assert max(found.count(pid) for pid in found) <= 3


def test_a_restart_replaces_every_child(driven: Driven) -> None:
    pool = driven()
    assert pool.submit(abs, -1).result(PATIENCE) == 1
    before = pids(pool)
    pool.restart()
    assert not pids(pool) & before
    assert pool.submit(abs, -1).result(PATIENCE) == 1


def test_the_pool_grows_and_shrinks(driven: Driven) -> None:
    pool = driven()
    pool.grow(2)
    together = [pool.submit(spend, 0.1) for _ in range(4)]
    assert max(job.result(PATIENCE) for job in together) - min(job.result(PATIENCE) for job in together) < 5.0
    pool.shrink(3)
    give_up_at = monotonic() + PATIENCE
    while len(pool.info["children"]) > 1:
        assert monotonic() < give_up_at
        time.sleep(0.005)
    assert pool.submit(abs, -1).result(PATIENCE) == 1


def test_stop_finishes_what_was_taken(driven: Driven) -> None:
    pool = driven()
    jobs = [pool.apply_async(spend, (0.01,)) for _ in range(20)]
    pool.stop()
    assert all(job.done() for job in jobs)


def test_terminate_ends_what_was_taken(driven: Driven) -> None:
    pool = driven()
    jobs = [pool.apply_async(spend, (PATIENCE,)) for _ in range(4)]
    pool.terminate()
    assert {type(job.exception(0)) for job in jobs} == {Terminated}


def test_items_are_mapped(driven: Driven) -> None:
    pool = driven()
    assert list(pool.map(abs, range(-500, 0))) == list(range(500, 0, -1))


def test_any_thread_submits(driven: Driven) -> None:
    pool = driven()
    values: list[int] = []

    def submit(base: int) -> None:
        values.extend([job.result(PATIENCE) for job in [pool.submit(abs, -base - n) for n in range(200)]])

    threads = [threading.Thread(target=submit, args=(1000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(values) == [1000 * base + n for base in range(4) for n in range(200)]


def test_the_acceptance_of_a_lone_job_is_told_while_it_runs(driven: Driven) -> None:
    pool = driven()
    pool.submit(abs, 1).result(PATIENCE)
    for _ in range(3):
        accepted: list[float] = []
        told = threading.Event()

        def accept(_: int, at: float, accepted: list[float] = accepted, told: threading.Event = told) -> None:
            accepted.append(monotonic() - at)
            told.set()

        job = pool.apply_async(spend, (0.5,), accept_callback=accept)
        assert told.wait(PATIENCE)
        assert not job.done()
        assert accepted[0] < 0.25
        job.terminate(signal.SIGKILL)


def test_the_hosts_own_thread_may_wait_for_a_job(host: Host, driven: Driven) -> None:
    pool = driven()

    def wait() -> list[object]:
        jobs = [pool.apply_async(divmod, (n, 7), soft_timeout=PATIENCE) for n in range(50)]
        return [job.result(PATIENCE) for job in jobs]

    assert host.call(wait) == [divmod(n, 7) for n in range(50)]


def test_the_hosts_own_thread_may_stop_the_pool(host: Host, driven: Driven) -> None:
    pool = driven()
    jobs = [pool.apply_async(spend, (0.01,)) for _ in range(10)]
    host.call(pool.restart)
    host.call(pool.stop)
    assert all(job.result(0) for job in jobs)


def test_a_pool_that_is_stopped_under_load_leaves_no_job_without_outcome(host: Host, driven: Driven) -> None:
    pool = driven()
    ended: list[object] = []
    taken = 0
    stopper = threading.Timer(0.1, pool.stop)
    stopper.start()
    with contextlib.suppress(PoolStateError):
        while True:
            pool.apply_async(abs, (taken,), callback=ended.append)
            taken += 1
    stopper.join(PATIENCE)
    assert sorted(ended) == list(range(taken))  # type: ignore[type-var]
