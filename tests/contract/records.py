"""What became of a job, as its callbacks were told, in order."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Thread
from time import monotonic
from typing import Any, cast

from pools import BasePool, Job, current_job
from pools.errors import Cancelled, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded, WorkerLostError
from pools.permits import Event
from pools.states import JobState

#: Seconds after which a test gives up waiting for what must happen.
PATIENCE = 20.0

#: Seconds that are enough to get from one line to the next, on a busy machine too.
AMPLE = 0.1


def wait(event: Event) -> None:
    """Wait for an event that must come."""
    assert event.wait(PATIENCE), f"nothing happened in {PATIENCE} s"


#: What the outcome of a job that did not succeed is an instance of, by the job's state.
_ERRORS: Mapping[JobState, type[BaseException] | tuple[type[BaseException], ...]] = {
    JobState.FAILED: BaseException,
    JobState.TIMED_OUT: (SoftTimeLimitExceeded, TimeLimitExceeded),
    JobState.LOST: WorkerLostError,
    JobState.TERMINATED: Terminated,
    JobState.CANCELLED: Cancelled,
}


class Record:
    """One job and what its callbacks were called with.

    Attributes:
        job: The job, once ``apply_async`` has returned.
        history: The calls in order: ``("accepted", slot_id, accepted_at)``, ``("timeout", soft, seconds)``,
            ``("value", value)``, ``("error", exception)``.
    """

    job: Job

    def __init__(self, pool: BasePool) -> None:
        self.history: list[tuple[Any, ...]] = []
        self._accepted = pool.new_event()
        self._ended = pool.new_event()

    def callbacks(self) -> Mapping[str, Callable[..., None]]:
        """The arguments of ``apply_async`` that have the job recorded here."""
        return {
            "accept_callback": self._on_accepted,
            "timeout_callback": lambda *args: self.history.append(("timeout", *args)),
            "callback": lambda value: self._on_ended("value", value),
            "error_callback": lambda error: self._on_ended("error", error),
        }

    @property
    def kinds(self) -> list[str]:
        """What happened, in order: ``accepted``, ``timeout``, ``value``, ``error``."""
        return [call[0] for call in self.history]

    @property
    def timeouts(self) -> list[tuple[bool, float]]:
        """The arguments of the calls of the timeout callback."""
        return [call[1:] for call in self.history if call[0] == "timeout"]

    def accepted(self) -> tuple[int, float]:
        """Wait for the acceptance; returns the slot's id and the time."""
        wait(self._accepted)
        return next((call[1], call[2]) for call in self.history if call[0] == "accepted")

    def ended(self) -> None:
        """Wait until the callback with the outcome was called."""
        wait(self._ended)

    def value(self) -> Any:
        """Wait for the outcome, which must be a success; returns the value."""
        self.ended()
        kind, outcome = self.history[-1]
        assert kind == "value", f"{self.job!r} ended in {outcome!r}"
        return outcome

    def error(self) -> BaseException:
        """Wait for the outcome, which must not be a success; returns the exception."""
        self.ended()
        kind, outcome = self.history[-1]
        assert kind == "error", f"{self.job!r} gave {outcome!r}"
        return cast(BaseException, outcome)

    def check(self) -> None:
        """Hold what was recorded to points 1 and 2 of the contract, once the job has its outcome."""
        kinds, job = self.kinds, self.job
        assert [kind for kind in kinds if kind in ("value", "error")] == kinds[-1:], f"{job!r}: {self.history}"
        assert kinds.count("accepted") == (job.accepted_at is not None), f"{job!r}: {self.history}"
        if "accepted" in kinds:
            assert kinds[0] == "accepted", f"{job!r}: {self.history}"
            assert self.history[0][1:] == (job.slot_id, job.accepted_at)
        self._check_outcome()

    def _check_outcome(self) -> None:
        job, (kind, outcome) = self.job, self.history[-1]
        if kind == "value":
            assert (job.state, job.exception(0)) == (JobState.SUCCEEDED, None)
            assert job.result(0) is outcome
            return
        assert job.exception(0) is outcome
        assert isinstance(outcome, _ERRORS[job.state]), f"{job!r}: {outcome!r}"
        if job.state is JobState.CANCELLED:
            assert self.kinds == ["error"]

    def _on_accepted(self, slot_id: int, accepted_at: float) -> None:
        self.history.append(("accepted", slot_id, accepted_at))
        self._accepted.set()

    def _on_ended(self, kind: str, outcome: object) -> None:
        self.history.append((kind, outcome))
        self._ended.set()


def apply(pool: BasePool, target: Callable[..., Any], *args: Any, **options: Any) -> Record:
    """Give ``target(*args)`` to the pool, with these options of ``apply_async``, and record what becomes of it."""
    record = Record(pool)
    record.job = pool.apply_async(target, args, **{**record.callbacks(), **options})
    return record


@contextlib.contextmanager
def busy(pool: BasePool, count: int | None = None) -> Iterator[list[Record]]:
    """Hold ``count`` slots (by default all of them) with jobs that end when the block does; gives their records.

    Each job is given to the pool from a thread of its own, as a pool that runs jobs inline runs it there.
    """
    release = pool.new_event()
    records = [Record(pool) for _ in range(pool.concurrency if count is None else count)]
    threads = [Thread(target=_submit_hold, args=(pool, record, release)) for record in records]
    try:
        for thread, record in zip(threads, records, strict=True):
            thread.start()
            record.accepted()
        yield records
    finally:
        release.set()
        for thread in threads:
            thread.join(PATIENCE)


def _submit_hold(pool: BasePool, record: Record, release: Event) -> None:
    begun = record.callbacks()["accept_callback"]

    def hold() -> None:
        job = job_here()
        # A pool that runs jobs inline returns from apply_async too late for those who want the job.
        record.job = job
        begun(job.slot_id, job.accepted_at)
        wait(release)

    record.job = pool.apply_async(hold, **cast(Any, {**record.callbacks(), "accept_callback": None}))


def job_here() -> Job:
    """The job that the calling code runs in."""
    job = current_job()
    assert job is not None
    return job


def until(when: float) -> float:
    """A job that lets others run until ``when``; returns a time just before its end."""
    while (now := monotonic()) < when:
        time.sleep(0)
    return now


def spend(seconds: float) -> None:
    """Wait in small steps, as a job that an exception can end at once."""
    give_up_at = monotonic() + seconds
    while monotonic() < give_up_at:
        time.sleep(0.001)
