"""What became of a job, as its callbacks were told, in order."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from threading import Thread
from typing import Any, cast

from pools import BasePool, Job, signals
from pools.errors import Cancelled, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded, WorkerLostError
from pools.states import JobState
from pools.testing import targets
from pools.testing.gates import Gate
from pools.testing.history import note
from pools.testing.waiting import eventually, wait

#: What the outcome of a job that did not succeed is an instance of, by the job's state.
_ERRORS: Mapping[JobState, type[BaseException] | tuple[type[BaseException], ...]] = {
    JobState.FAILED: BaseException,
    JobState.TIMED_OUT: (SoftTimeLimitExceeded, TimeLimitExceeded),
    JobState.LOST: WorkerLostError,
    JobState.TERMINATED: Terminated,
    JobState.CANCELLED: Cancelled,
}

#: The kinds of calls by which an outcome is delivered.
_ENDS = ("value", "error")

#: The records of the test that runs: at its end each is looked at once more, for what came too late.
made: list[Record] = []
_numbers = itertools.count(1)


class Record:
    """One job and what its callbacks were called with.

    Attributes:
        job: The job, once it is known.
        history: The calls in order: ``("accepted", slot_id, accepted_at)``, ``("timeout", soft, seconds)``,
            ``("value", value)``, ``("error", exception)``.
    """

    job: Job

    def __init__(self, pool: BasePool, label: str = "") -> None:
        self.history: list[tuple[Any, ...]] = []
        self._accepted = pool.new_event()
        self._ended = pool.new_event()
        self.label = f"job {next(_numbers)}{label and f' {label}'}"

    def __repr__(self) -> str:
        return f"{self.label}: {_shown(self.history)}"

    def callbacks(self) -> Mapping[str, Callable[..., None]]:
        """The arguments of ``apply_async`` that have the job recorded here."""
        return {
            "accept_callback": self._on_accepted,
            "timeout_callback": self._on_timeout,
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

    @property
    def state(self) -> JobState:
        """The state of the job."""
        return self.job.state

    def accepted(self) -> tuple[int, float]:
        """Wait for the acceptance; returns the slot's id and the time."""
        wait(self._accepted, "the acceptance of", self)
        return next((call[1], call[2]) for call in self.history if call[0] == "accepted")

    def ended(self) -> None:
        """Wait until the callback with the outcome was called."""
        wait(self._ended, "the outcome of", self)

    @property
    def outcome(self) -> tuple[str, Any]:
        """The outcome that was delivered first: ``("value", value)`` or ``("error", exception)``."""
        kind, outcome = next(call for call in self.history if call[0] in _ENDS)
        return kind, outcome

    def value(self) -> Any:
        """Wait for the outcome, which must be a success; returns the value."""
        self.ended()
        kind, outcome = self.outcome
        assert kind == "value", f"{self.label} ended in {outcome!r}"
        return outcome

    def error(self) -> BaseException:
        """Wait for the outcome, which must not be a success; returns the exception."""
        self.ended()
        kind, outcome = self.outcome
        assert kind == "error", f"{self.label} gave {outcome!r}"
        return cast(BaseException, outcome)

    def check(self) -> None:
        """Hold what was recorded to points 1 and 2 of the contract, once the job has its outcome."""
        kinds, job = self.kinds, self.job
        ends = [kind for kind in kinds if kind in _ENDS]
        assert len(ends) == 1, f"{len(ends)} outcomes were delivered: {self!r}"
        assert kinds.count("accepted") == (job.accepted_at is not None), f"acceptance was not told once: {self!r}"
        if "accepted" in kinds:
            assert kinds[0] == "accepted", f"acceptance did not come first: {self!r}"
            assert self.history[0][1:] == (job.slot_id, job.accepted_at), f"{job!r} says otherwise: {self!r}"
        self._check_outcome()

    def _check_outcome(self) -> None:
        job, (kind, outcome) = self.job, self.outcome
        assert eventually(job.done), f"{job!r} has no outcome: {self!r}"
        if kind == "value":
            assert (job.state, job.exception(0)) == (JobState.SUCCEEDED, None), f"{job!r}: {self!r}"
            assert job.result(0) is outcome, f"{job!r} has {job.result(0)!r}: {self!r}"
            return
        assert job.exception(0) is outcome, f"{job!r} has {job.exception(0)!r}: {self!r}"
        assert job.state in _ERRORS, f"{job!r}: {self!r}"
        assert isinstance(outcome, _ERRORS[job.state]), f"{job!r}: {self!r}"
        if job.state is JobState.CANCELLED:
            assert self.kinds == ["error"], f"a job was cancelled after it had begun: {self!r}"

    def _on_accepted(self, slot_id: int, accepted_at: float) -> None:
        note(f"{self.label} accepted in slot {slot_id}")
        self.history.append(("accepted", slot_id, accepted_at))
        self._accepted.set()

    def _on_timeout(self, *args: Any) -> None:
        note(f"{self.label} is past a limit: {args}")
        self.history.append(("timeout", *args))

    def _on_ended(self, kind: str, outcome: object) -> None:
        note(f"{self.label} ended: {kind} {_shown(outcome):.100}")
        self.history.append((kind, outcome))
        self._ended.set()


def _shown(value: object) -> str:
    try:
        return f"{value!r:.300}"
    except BaseException:  # a test's own, which cannot be shown
        return type(value).__name__


def _keep(record: Record, options: Mapping[str, Any]) -> None:
    """Have a record looked at when its test ends, unless it is told of half of what happens."""
    if not record.callbacks().keys() & options.keys():
        made.append(record)


def apply(pool: BasePool, target: Callable[..., Any], *args: Any, **options: Any) -> Record:
    """Give ``target(*args)`` to the pool, with these options of ``apply_async``, and record what becomes of it."""
    record = Record(pool, getattr(target, "__name__", ""))
    note(f"{record.label} submitted{f' with {options}' if options else ''}")
    record.job = pool.apply_async(target, args, **{**record.callbacks(), **options})
    _keep(record, options)
    return record


def launch(pool: BasePool, target: Callable[..., Any], *args: Any, **options: Any) -> Record:
    """The same, for a job that is to run on while the test does: from a thread of its own, as a pool that runs jobs
    inline runs it there. Returns when the pool has taken the job."""
    record = Record(pool, getattr(target, "__name__", ""))
    taken = pool.new_event()
    name = options.setdefault("correlation_id", record.label)
    refused: list[BaseException] = []

    def on_apply(_: object, job: Job, **__: object) -> None:
        if job.correlation_id == name:
            record.job = job

    def on_accepted(slot_id: int, accepted_at: float) -> None:
        record.callbacks()["accept_callback"](slot_id, accepted_at)
        taken.set()

    def submit() -> None:
        try:
            record.job = pool.apply_async(
                target, args, **{**record.callbacks(), "accept_callback": on_accepted, **options}
            )
        except BaseException as error:
            refused.append(error)
        taken.set()

    note(f"{record.label} submitted")
    with signals.apply.connected_to(on_apply, pool):
        # It may run other jobs afterwards, for as long as there are any.
        Thread(target=submit, daemon=True).start()
        wait(taken, "a pool to take a job")
    if refused:
        raise refused[0]
    _keep(record, options)
    return record


@contextlib.contextmanager
def busy(pool: BasePool, count: int | None = None) -> Iterator[list[Record]]:
    """Hold ``count`` slots (by default all of them) with jobs that end when the block does; gives their records."""
    gate = Gate()
    records: list[Record] = []
    try:
        records += [launch(pool, targets.hold, gate.path) for _ in range(pool.concurrency if count is None else count)]
        for record in records:
            record.accepted()
        yield records
    finally:
        gate.open()
    for record in records:
        record.ended()


def finish(records: list[Record]) -> None:
    """Wait for the outcomes of these jobs, and hold each to points 1 and 2."""
    for record in records:
        record.ended()
        record.check()
