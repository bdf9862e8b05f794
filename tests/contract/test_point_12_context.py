"""Point 12: a job sees the context variables of its submission, or none, and what it sets stays its own."""

from __future__ import annotations

import threading
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from pools import BasePool, current_job
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, busy

user: ContextVar[str] = ContextVar("user", default="nobody")


def _change(name: str) -> str:
    before = user.get()
    user.set(name)
    return before


def _submit_as(pool: BasePool, name: str) -> Any:
    user.set(name)
    return pool.apply_async(user.get)


@pytest.mark.needs("context")
@pytest.mark.parametrize("options", [{}, {"context": "copy"}])
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
    assert [job.result(PATIENCE) for job in jobs] == ["ann", "bob", "cid"]


def test_an_empty_context(open_pool: OpenPool) -> None:
    """With ``context="empty"`` a job sees no variable of its submission."""
    pool = open_pool(context="empty")
    assert copy_context().run(_submit_as, pool, "ann").result(PATIENCE) == "nobody"


def test_an_empty_context_has_the_current_job(open_pool: OpenPool) -> None:
    """What pools itself keeps there is there all the same."""
    pool = open_pool(context="empty")
    job = pool.apply_async(current_job)
    assert job.result(PATIENCE) is job


@pytest.mark.parametrize("options", [{}, {"context": "empty"}])
def test_changes_do_not_leak(open_pool: OpenPool, options: dict[str, Any]) -> None:
    """What a job sets is seen neither by the next job of its slot nor where it was submitted."""
    pool = open_pool(**options)
    for number in range(200):
        assert pool.apply_async(_change, (f"job {number}",)).result(PATIENCE) == "nobody"
        assert user.get() == "nobody"


def test_changes_do_not_leak_to_jobs_that_waited(open_pool: OpenPool) -> None:
    """The same where a slot takes one job after another by itself."""
    pool = open_pool()
    with busy(pool):
        jobs = [pool.apply_async(_change, (f"job {number}",)) for number in range(200)]
    assert [job.result(PATIENCE) for job in jobs] == ["nobody"] * 200


def test_callbacks_do_not_change_the_submitter(open_pool: OpenPool) -> None:
    """Nor does what a job of another job's sets."""
    pool = open_pool()

    def outer() -> str:
        user.set("outer")
        return user.get()

    assert pool.submit(outer).result(PATIENCE) == "outer"
    assert list(pool.map(lambda name: _change(name), ["ann", "bob"], chunksize=1)) == ["nobody", "nobody"]
    assert user.get() == "nobody"


@pytest.mark.needs("context")
def test_a_thread_has_a_context_of_its_own(open_pool: OpenPool) -> None:
    """Each submitting thread's variables go with its own jobs."""
    pool = open_pool()
    threads = [NativeThread(pool, _submit_as, pool, f"thread {number}") for number in range(4)]
    assert [thread.join().result(PATIENCE) for thread in threads] == [f"thread {number}" for number in range(4)]


def test_the_current_job(open_pool: OpenPool) -> None:
    """``current_job()`` is the job inside one, and None outside; also where a job was submitted by a job."""
    pool = open_pool()
    inner: list[Any] = []

    def outer() -> Any:
        inner.append(pool.apply_async(current_job))
        return current_job()

    assert current_job() is None
    job = pool.apply_async(outer)
    assert job.result(PATIENCE) is job
    assert inner[0].result(PATIENCE) is inner[0]
    assert current_job() is None


def test_what_a_job_can_see_of_itself(open_pool: OpenPool) -> None:
    """Its number, the host's name for it, its slot and its limits."""
    pool = open_pool()
    limits: dict[str, Any] = {"timeout": 10.0} if pool.traits.hard_timeout else {}

    def look() -> tuple[Any, ...]:
        job = current_job()
        assert job is not None
        assert job.accepted_at is not None
        left = None if job.deadline is None else job.deadline - job.accepted_at
        return job.id, job.correlation_id, job.slot_id, job.cancel_requested, left

    job = pool.apply_async(look, correlation_id="order 7", **limits)
    number, correlation_id, slot_id, cancel_requested, left = job.result(PATIENCE)
    assert (number, correlation_id, slot_id, cancel_requested) == (job.id, "order 7", job.slot_id, False)
    assert left == pytest.approx(10.0) if limits else left is None


def test_locals_of_greenlets_are_the_jobs(open_pool: OpenPool) -> None:
    """A green pool's job finds no thread-local value of an earlier job; a thread keeps those of its earlier jobs."""
    pool = open_pool()
    local = threading.local()

    def count() -> int:
        local.count = getattr(local, "count", 0) + 1
        return int(local.count)

    counts = [pool.apply_async(count).result(PATIENCE) for _ in range(5)]
    assert counts == ([1] * 5 if pool.is_green else [1, 2, 3, 4, 5])
