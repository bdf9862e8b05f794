"""Points 1, 6, 8 and 13 at once: after any schedule of calls, those jobs run that should, and no others.

A model stands beside the pool. What fails is shrunk to a short history of calls, which the report has.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pools import BasePool
from pools.errors import Cancelled, Terminated
from pools.testing import history, records, targets
from pools.testing.gates import Gate
from pools.testing.history import note, patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, launch
from pools.testing.waiting import eventually

#: Seconds for which a failing schedule is made shorter.
SHRINK_SECONDS = 10.0


class Model:
    """A pool beside a plain account of it, in which a job runs until it is let go.

    Attributes:
        size: How many slots there should be.
        running: The jobs that should run, each with its gate; for a while more than ``size`` after a shrink.
        waiting: Those that should wait, in any order.
        counts: How many should have ended in which outcome.
    """

    def __init__(self, pool: BasePool, size: int) -> None:
        self.pool = pool
        self.size = size
        self.running: list[tuple[Record, Gate]] = []
        self.waiting: list[tuple[Record, Gate]] = []
        self.counts = dict.fromkeys(["succeeded", "failed", "timed_out", "lost", "terminated", "cancelled"], 0)

    # -- Steps, each on the pool and on the account --------------------------------------------------------------------

    def submit(self, number: int) -> None:
        """Give the pool a job."""
        gate = Gate()
        self.waiting.append((launch(self.pool, targets.hold, gate.path), gate))

    def end(self, number: int) -> None:
        """Let a job go that runs."""
        if self.running:
            record, gate = self.running.pop(number % len(self.running))
            note(f"{record.label} is let go")
            gate.open()
            assert record.value() is None
            self.counts["succeeded"] += 1
            record.check()

    def cancel_waiting(self, number: int) -> None:
        """Cancel a job that waits."""
        if self.waiting:
            record, _ = self.waiting.pop(number % len(self.waiting))
            note(f"{record.label}.cancel()")
            assert record.job.cancel() is True
            assert isinstance(record.error(), Cancelled)
            self.counts["cancelled"] += 1
            record.check()

    def cancel_running(self, number: int) -> None:
        """Ask a job to end that runs: in vain."""
        if self.running:
            record, _ = self.running[number % len(self.running)]
            note(f"{record.label}.cancel()")
            assert record.job.cancel() is False

    def terminate_waiting(self, number: int) -> None:
        """Terminate a job that waits."""
        if self.waiting:
            record, _ = self.waiting.pop(number % len(self.waiting))
            note(f"{record.label}.terminate()")
            assert record.job.terminate() is True
            assert isinstance(record.error(), Terminated)
            self.counts["terminated"] += 1
            record.check()

    def terminate_running(self, number: int) -> None:
        """Terminate a job that runs, where that is promised."""
        if self.running and self.pool.traits.terminate:
            record, _ = self.running.pop(number % len(self.running))
            note(f"terminate_job({record.job.slot_id})")
            assert self.pool.terminate_job(record.job.slot_id) is True
            assert isinstance(record.error(), Terminated)
            self.counts["terminated"] += 1
            record.check()

    def grow(self, number: int) -> None:
        """Add slots, where that is promised."""
        if self.pool.traits.resize and self.size < 6:
            n = 1 + number % 2
            note(f"grow({n})")
            self.pool.grow(n)
            self.size += n

    def shrink(self, number: int) -> None:
        """Remove slots, where that is promised."""
        if self.pool.traits.resize and self.size > 1:
            n = 1 + number % (self.size - 1)
            note(f"shrink({n})")
            self.pool.shrink(n)
            self.size -= n

    # -- The account ---------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Hold the pool to the account."""
        free = max(0, self.size - len(self.running))
        wanted = min(free, len(self.waiting))
        assert eventually(lambda: len(self._accepted()) >= wanted), (
            f"{len(self.running) + len(self._accepted())} jobs run in {self.size} slots while others wait"
        )
        begun = self._accepted()
        self.waiting = [item for item in self.waiting if item not in begun]
        self.running += begun
        assert len(begun) == wanted, f"{len(self.running)} jobs run in {self.size} slots"
        info = self.pool.info
        assert {entry["job"] for entry in info["running"]} == {record.job.id for record, _ in self.running}
        assert len({entry["slot_id"] for entry in info["running"]}) == len(self.running)
        assert (info["waiting"], info["concurrency"]) == (len(self.waiting), self.size)
        assert self.pool.stats["jobs"] == self.counts

    def _accepted(self) -> list[tuple[Record, Gate]]:
        return [item for item in self.waiting if item[0].kinds]

    def finish(self, end: str) -> None:
        """Let every job go, end the pool, and hold every job to the contract."""
        left = [*self.running, *self.waiting]
        note(f"{end}()")
        thread = NativeThread(self.pool, getattr(self.pool, end))
        for record, _ in left:
            assert end == "stop" or isinstance(record.error(), Terminated)
        self.release()
        thread.join()
        for record, _ in left:
            record.ended()
            assert end == "terminate" or record.kinds == ["accepted", "value"]
        for record in records.made:
            record.check()

    def release(self) -> None:
        """Let every job go."""
        for _, gate in [*self.running, *self.waiting]:
            gate.open()


STEPS = {
    "submit": Model.submit,
    "end": Model.end,
    "cancel a job that waits": Model.cancel_waiting,
    "cancel a job that runs": Model.cancel_running,
    "terminate a job that waits": Model.terminate_waiting,
    "terminate a job that runs": Model.terminate_running,
    "grow": Model.grow,
    "shrink": Model.shrink,
}

Schedule = list[tuple[str, int]]

SCHEDULES = st.lists(st.tuples(st.sampled_from(["submit", "submit", *STEPS]), st.integers(0, 9)), max_size=14)


class _FoundError(BaseException):
    """Leaves Hypothesis with a schedule that fails; it would look for shorter ones for minutes."""


def _run(subject: PoolUnderTest, schedule: Schedule, size: int, end: str) -> None:
    """Hold a pool of its own to the account of one schedule."""
    history.begin()
    records.made.clear()
    model = Model(subject.open(min(size, subject.several)), min(size, subject.several))
    try:
        for step, number in schedule:
            STEPS[step](model, number)
            model.settle()
        model.finish(end)
    except Exception:
        history.failed()
        raise
    finally:
        model.release()
        model.pool.stop(timeout=patience())


def _shorten(subject: PoolUnderTest, schedule: Schedule, size: int, end: str, error: Exception) -> Exception:
    """Leave out of a schedule that fails whatever it fails without; returns how the shortest one failed."""
    give_up_at = monotonic() + SHRINK_SECONDS
    for position in reversed(range(len(schedule))):
        if monotonic() > give_up_at:
            break
        shorter = schedule[:position] + schedule[position + 1 :]
        try:
            _run(subject, shorter, size, end)
        except Exception as found:
            schedule, error = shorter, found
    return error


@pytest.mark.long
def test_any_schedule(subject: PoolUnderTest) -> None:
    """Of jobs that are submitted, end, are cancelled and terminated, of resizes, and of the end of the pool."""
    found: list[tuple[Schedule, int, str, Exception]] = []

    def run(schedule: Schedule, size: int, end: str) -> None:
        try:
            _run(subject, schedule, size, end)
        except Exception as error:
            found.append((schedule, size, end, error))
            raise _FoundError from error

    most, seconds = (25, 1.0) if subject.quick else (80, 3.0)
    examples = max(4, min(most, int(seconds / max(subject.job_seconds, subject.start_seconds, 1e-3))))
    any_schedule: Any = given(schedule=SCHEDULES, size=st.integers(1, 3), end=st.sampled_from(["stop", "terminate"]))
    try:
        settings(max_examples=examples)(any_schedule(run))()
    except _FoundError:
        raise _shorten(subject, *found[-1]) from None
