"""Point 2: ``accept_callback(slot_id, accepted_at)`` comes before the outcome, once, and only if the job started."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest

from pools import current_job, signals
from pools.errors import Cancelled, Terminated
from tests.contract.conftest import OpenPool
from tests.contract.records import apply, busy


def test_acceptance_comes_once_and_before_the_outcome(open_pool: OpenPool, several: int) -> None:
    """For jobs that return and for jobs that raise, with slots to spare and without."""
    pool = open_pool(several)
    good = [apply(pool, divmod, 7, 2) for _ in range(50)]
    bad = [apply(pool, divmod, 7, 0) for _ in range(50)]
    for record in good:
        record.value()
        record.check()
        assert record.kinds == ["accepted", "value"]
    for record in bad:
        record.error()
        record.check()
        assert record.kinds == ["accepted", "error"]


def test_what_acceptance_tells(open_pool: OpenPool) -> None:
    """The id of the slot, and the time by ``time.monotonic()``: both are the job's as well."""
    pool = open_pool()
    before = monotonic()
    record = apply(pool, current_job)
    job = record.value()
    slot_id, accepted_at = record.accepted()
    assert job is record.job
    assert isinstance(slot_id, int)
    assert slot_id >= 1
    assert before <= accepted_at <= monotonic()
    assert (job.slot_id, job.accepted_at) == (slot_id, accepted_at)


def test_a_job_that_waits_is_not_accepted(open_pool: OpenPool) -> None:
    """It is accepted when a slot begins it, and by a slot that is free then."""
    pool = open_pool()
    with busy(pool) as (holder,):
        record = apply(pool, int)
        assert record.kinds == []
        assert record.job.accepted_at is None
        released_after = monotonic()
    slot_id, accepted_at = record.accepted()
    assert slot_id == holder.job.slot_id
    assert accepted_at >= released_after
    record.ended()
    record.check()


def test_a_cancelled_job_is_never_accepted(open_pool: OpenPool) -> None:
    """Its one call is ``error_callback(Cancelled)``, and its target is not called."""
    pool = open_pool()
    called: list[int] = []
    with busy(pool):
        record = apply(pool, called.append, 1)
        assert record.job.cancel()
        assert isinstance(record.error(), Cancelled)
    pool.stop()
    assert record.kinds == ["error"]
    assert called == []
    record.check()


def test_a_job_that_was_terminated_in_the_queue_is_never_accepted(open_pool: OpenPool) -> None:
    """So is one that ``terminate()`` of the pool meets there."""
    pool = open_pool()
    called: list[int] = []
    with busy(pool):
        first, second = apply(pool, called.append, 1), apply(pool, called.append, 2)
        assert first.job.terminate()
        pool.terminate()
    for record in (first, second):
        assert isinstance(record.error(), Terminated)
        assert record.kinds == ["error"]
        record.check()
    assert called == []


def test_the_signals_keep_the_same_order(open_pool: OpenPool) -> None:
    """``apply``, ``accepted``, ``finished``: once each."""
    pool = open_pool()
    seen: list[str] = []
    finished = pool.new_event()

    def note(name: str) -> Callable[..., None]:
        def receiver(sender: object, **event: object) -> None:
            seen.append(name)
            if name == "finished":
                finished.set()

        return receiver

    receivers = [note(name) for name in ("apply", "accepted", "finished")]
    with (
        signals.apply.connected_to(receivers[0], pool),
        signals.accepted.connected_to(receivers[1], pool),
        signals.finished.connected_to(receivers[2], pool),
    ):
        apply(pool, int).value()
        assert finished.wait(5.0)
    assert seen == ["apply", "accepted", "finished"]


@pytest.mark.needs("max_concurrency")
def test_slots_have_ids_of_their_own(open_pool: OpenPool) -> None:
    """Jobs that run at the same time are in different slots."""
    pool = open_pool(4)
    with busy(pool) as records:
        assert len({record.job.slot_id for record in records}) == 4
