"""``await pool.run(fn, *args)``: a pool beside an event loop of asyncio."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from pools.errors import PoolStateError
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, busy, spend, wait

user: ContextVar[str] = ContextVar("user", default="nobody")


def _add(one: int, *, other: int) -> int:
    return one + other


def _double(number: int) -> int:
    return 2 * number


def test_a_value(open_pool: OpenPool) -> None:
    """Positional and keyword arguments go to the call, whatever their names."""
    pool = open_pool()
    assert asyncio.run(pool.run(_add, 1, other=2)) == 3
    assert asyncio.run(pool.run(dict, fn=1, pool=2)) == {"fn": 1, "pool": 2}


def test_an_error(open_pool: OpenPool) -> None:
    """The job's own exception."""
    with pytest.raises(ZeroDivisionError):
        asyncio.run(open_pool().run(divmod, 1, 0))


def test_many_at_once(open_pool: OpenPool, several: int) -> None:
    """Of a thousand calls each coroutine gets its own value."""
    pool = open_pool(several)

    async def main() -> list[int]:
        return await asyncio.gather(*(pool.run(_double, number) for number in range(1000)))

    assert asyncio.run(main()) == list(range(0, 2000, 2))


@pytest.mark.needs("max_concurrency")
def test_the_loop_goes_on(open_pool: OpenPool) -> None:
    """Other coroutines run while a job does; one of them lets the job end."""
    pool = open_pool()
    release = pool.new_event()

    async def main() -> None:
        task = asyncio.create_task(pool.run(wait, release))
        for _ in range(10):
            await asyncio.sleep(0.001)
        assert not task.done()
        release.set()
        await task

    asyncio.run(main())


def test_a_task_that_is_cancelled_early(open_pool: OpenPool) -> None:
    """A job that waits is cancelled with the task, and never runs."""
    pool = open_pool()
    ran: list[int] = []

    async def main() -> None:
        task = asyncio.create_task(pool.run(ran.append, 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with busy(pool):
        pool.apply_async(ran.append, (0,))
        asyncio.run(main())
        pool.apply_async(ran.append, (2,))
    assert pool.join(PATIENCE)
    assert ran == [0, 2]
    assert pool.stats["jobs"]["cancelled"] == 1


@pytest.mark.needs("terminate", "max_concurrency")
def test_a_task_that_is_cancelled_late(open_pool: OpenPool) -> None:
    """A job that runs is terminated with the task."""
    pool = open_pool()
    begun = pool.new_event()

    def target() -> None:
        begun.set()
        spend(PATIENCE)

    async def main() -> None:
        task = asyncio.create_task(pool.run(target))
        while not begun.wait(0):
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for _ in range(20):
        begun = pool.new_event()
        asyncio.run(main())
        assert pool.join(PATIENCE)
    assert pool.stats["jobs"]["terminated"] == 20


@pytest.mark.needs("terminate", "max_concurrency")
def test_a_timeout_of_asyncio(open_pool: OpenPool) -> None:
    """``asyncio.timeout`` ends the job like any cancellation."""
    pool = open_pool()

    async def main() -> None:
        async with asyncio.timeout(0.01):
            await pool.run(spend, PATIENCE)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert pool.join(PATIENCE)
    assert pool.stats["jobs"]["terminated"] == 1


def test_a_job_that_others_cancel(open_pool: OpenPool) -> None:
    """Who waits for a job that was cancelled by its pool's user is told."""
    pool = open_pool()

    async def main() -> None:
        future = pool.submit(_double, 1)
        waiting = asyncio.wrap_future(future)
        assert future.job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with busy(pool):
        asyncio.run(main())


@pytest.mark.needs("context")
def test_the_context_of_the_task(open_pool: OpenPool) -> None:
    """A job sees the context variables of the task that awaits it."""
    pool = open_pool()

    async def ask(name: str) -> str:
        user.set(name)
        return await pool.run(user.get)

    async def main() -> list[str]:
        return await asyncio.gather(*(ask(name) for name in ("ann", "bob", "cid")))

    assert asyncio.run(main()) == ["ann", "bob", "cid"]


def test_a_pool_that_has_stopped(open_pool: OpenPool) -> None:
    """It says so at once."""
    pool = open_pool()
    pool.stop()
    with pytest.raises(PoolStateError, match=rf"^pool {pool.name} is stopped"):
        asyncio.run(pool.run(_double, 1))
