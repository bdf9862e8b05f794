"""Point 12: a job sees the context variables of its submission, or none, and what it sets stays its own."""

from __future__ import annotations

from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from pools import BasePool, current_job
from pools.errors import UnsupportedError
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy

here = pytest.mark.needs("jobs in this process")

user: ContextVar[str] = ContextVar("user", default="nobody")


def _change(name: str) -> str:
    before = user.get()
    user.set(name)
    return before


def _submit_as(pool: BasePool, name: str) -> Any:
    user.set(name)
    return pool.apply_async(user.get)


@pytest.mark.needs("context")
@pytest.mark.parametrize("options", [{}, {"context": "copy"}], ids=str)
def test_a_job_sees_the_context_of_its_submission(open_pool: OpenPool, options: dict[str, Any]) -> None:
    """By default, and with ``context="copy"``; as it was then, whatever was set before the job began."""
    pool = open_pool(**options)

    def submit_many() -> list[Any]:
        jobs = []
        for name in ("ann", "bob", "cid"):
            user.set(name)
            jobs.append(pool.apply_async(user.get))
        user.set("too late")
        return jobs

    with busy(pool):
        jobs = copy_context().run(submit_many)
    assert [job.result(patience()) for job in jobs] == ["ann", "bob", "cid"]


@pytest.mark.needs("context")
def test_futures_and_maps_have_it_too(one: BasePool) -> None:
    """By whatever way a job was submitted."""

    def submit() -> tuple[str, list[str]]:
        user.set("ann")
        future = one.submit(user.get)
        return future.result(patience()), list(one.map(lambda _: user.get(), range(2)))

    assert copy_context().run(submit) == ("ann", ["ann", "ann"])


@pytest.mark.needs("context")
def test_a_thread_has_a_context_of_its_own(one: BasePool) -> None:
    """Each submitting thread's variables go with its own jobs."""
    threads = [NativeThread(one, _submit_as, one, f"thread {number}") for number in range(4)]
    assert [thread.join().result(patience()) for thread in threads] == [f"thread {number}" for number in range(4)]


@here
def test_an_empty_context(open_pool: OpenPool) -> None:
    """With ``context="empty"`` a job sees no variable of its submission; but it has its current job."""
    pool = open_pool(context="empty")
    assert copy_context().run(_submit_as, pool, "ann").result(patience()) == "nobody"
    job = pool.apply_async(current_job)
    assert job.result(patience()) is job


@here
@pytest.mark.parametrize("options", [{}, {"context": "empty"}], ids=str)
def test_changes_do_not_leak(open_pool: OpenPool, subject: PoolUnderTest, options: dict[str, Any]) -> None:
    """What a job sets is seen neither by the next job of its slot nor where it was submitted."""
    pool = open_pool(**options)
    for number in range(subject.rounds(40)):
        assert pool.apply_async(_change, (f"job {number}",)).result(patience()) == "nobody"
        assert user.get() == "nobody"
    with busy(pool):
        jobs = [pool.apply_async(_change, (f"job {number}",)) for number in range(20)]
    assert [job.result(patience()) for job in jobs] == ["nobody"] * 20


@here
def test_the_current_job(one: BasePool) -> None:
    """``current_job()`` is the job inside one, and None outside; also where a job was submitted by a job."""
    inner: list[Any] = []

    def outer() -> Any:
        inner.append(one.apply_async(current_job))
        return current_job()

    assert current_job() is None
    job = one.apply_async(outer)
    assert job.result(patience()) is job
    assert inner[0].result(patience()) is inner[0]
    assert current_job() is None


@pytest.mark.lacks("context")
def test_a_copy_that_is_not_promised(subject: PoolUnderTest) -> None:
    """It is refused at once, naming pool and trait; an empty context is what such a pool gives."""
    with pytest.raises(UnsupportedError, match=rf"{subject.pool_name}.*trait context"):
        subject.open(1, context="copy")
    with subject.open(1, context="empty") as pool:
        assert apply(pool, targets.double, 4).value() == 8


@pytest.mark.lacks("context")
@here
def test_no_context_where_none_is_promised(one: BasePool) -> None:
    """A job of a pool of this process that does not declare it sees no variable of its submission."""
    assert copy_context().run(_submit_as, one, "ann").result(patience()) == "nobody"
