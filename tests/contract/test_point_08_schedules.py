"""Point 8: after any schedule of jobs and resizes, those jobs run that should, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pools import BasePool
from pools.permits import Event
from tests.contract.conftest import OpenPool
from tests.contract.records import Record, apply, wait

pytestmark = pytest.mark.needs("resize")

STEPS = ("submit", "submit", "end", "end", "cancel", "grow", "shrink")


class Model:
    """A pool beside a plain account of it, in which a job runs until it is told to end.

    Attributes:
        size: How many slots there should be.
        running: The jobs that should run, each with what ends it; for a while more than ``size`` after a shrink.
        waiting: Those that should wait, in order.
    """

    def __init__(self, pool: BasePool, size: int) -> None:
        self.pool = pool
        self.size = size
        self.running: list[tuple[Record, Event]] = []
        self.waiting: list[tuple[Record, Event]] = []

    def take(self, step: str, number: int) -> None:
        """Do one thing to the pool, and to the account."""
        if step == "submit":
            end = self.pool.new_event()
            self.waiting.append((apply(self.pool, wait, end), end))
        elif step == "grow":
            self.pool.grow(1 + number % 3)
            self.size += 1 + number % 3
        elif step == "shrink" and self.size > 1:
            n = 1 + number % (self.size - 1)
            self.pool.shrink(n)
            self.size -= n
        elif step == "end" and self.running:
            record, end = self.running.pop(number % len(self.running))
            end.set()
            assert record.value() is None
            record.check()
        elif step == "cancel" and self.waiting:
            record, _ = self.waiting.pop(number % len(self.waiting))
            assert record.job.cancel()
            record.check()
        while self.waiting and len(self.running) < self.size:
            self.running.append(self.waiting.pop(0))

    def check(self) -> None:
        """Hold the pool to the account."""
        for record, _ in self.running:
            record.accepted()
        assert [record.kinds for record, _ in self.waiting] == [[]] * len(self.waiting)
        info = self.pool.info
        assert {entry["job"] for entry in info["running"]} == {record.job.id for record, _ in self.running}
        assert len({entry["slot_id"] for entry in info["running"]}) == len(self.running)
        assert (info["waiting"], info["concurrency"]) == (len(self.waiting), self.size)

    def release(self) -> None:
        """End every job."""
        for _, end in [*self.running, *self.waiting]:
            end.set()


@given(schedule=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99)), max_size=40), size=st.integers(1, 4))
@settings(max_examples=60)
def test_any_schedule(open_pool: OpenPool, schedule: list[tuple[str, int]], size: int) -> None:
    """Of jobs that are submitted, end and are cancelled, and of ``grow`` and ``shrink``."""
    model = Model(open_pool(size), size)
    try:
        for step, number in schedule:
            model.take(step, number)
            model.check()
    finally:
        model.release()
    model.pool.stop()
    for record, _ in [*model.running, *model.waiting]:
        assert record.value() is None
        record.check()
