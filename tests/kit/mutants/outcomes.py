"""Points 1 to 3: outcomes, acceptance, callbacks."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from time import monotonic
from typing import Any

from pools import Job
from pools.states import JobState
from tests.kit.mutants.meddling import Mutant, Options, around


class LosesOutcomes(Mutant):
    """Of one job in seven nobody is told."""

    name, breaks, found_by = "loses-outcomes", 1, "every_job"
    numbers = itertools.count(1)

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        if next(self.numbers) % 7 == 0:
            options = {**options, "callback": None}
        return target, options


class DeliversTwice(Mutant):
    """Each value comes twice."""

    name, breaks, found_by = "delivers-twice", 1, "a_job_that_returns"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "callback", lambda call: lambda value: (call(value), call(value)))


class DeliversAgainLater(Mutant):
    """Each value comes again, a moment later."""

    name, breaks, found_by = "delivers-again-later", 1, "is_final"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def twice(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda value: (call(value), self.timer.call_after(0.005, call, (value,)))

        return target, around(options, "callback", twice)


class DeliversBoth(Mutant):
    """An error is told to both callbacks."""

    name, breaks, found_by = "delivers-both", 1, "a_job_that_raises"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        tell = options.get("callback") or (lambda value: None)
        return target, around(options, "error_callback", lambda call: lambda error: (tell(None), call(error)))


class NeverTellsErrors(Mutant):
    """The error callback is forgotten."""

    name, breaks, found_by = "never-tells-errors", 1, "a_job_that_raises"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, {**options, "error_callback": None}


class MistakesFalseValues(Mutant):
    """A value that is false comes as None."""

    name, breaks, found_by = "mistakes-false-values", 1, "any_value"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "callback", lambda call: lambda value: call(value or None))


class TakesReturnedErrorsForRaised(Mutant):
    """A job that returns an exception fails with it."""

    name, breaks, found_by = "takes-returned-errors-for-raised", 1, "any_value"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            value = target(*args, **kwargs)
            if isinstance(value, Exception):
                raise value
            return value

        return call, options


class CancelsInVain(Mutant):
    """``cancel`` says True of a job that waits, and the job runs."""

    name, breaks, found_by = "cancels-in-vain", 1, "cancellation_races"

    def cancel_job(self, job: Job) -> bool:
        return job in self.ledger.waiting or super().cancel_job(job)


class AcceptsLate(Mutant):
    """Acceptance is told when the job has ended."""

    name, breaks, found_by = "accepts-late", 2, "when_it_happens"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        accepted = options.pop("accept_callback", None)
        seen: list[Any] = []

        def first(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda outcome: (accepted(*seen[0]) if accepted and seen else None, call(outcome))

        options = around(around(options, "callback", first), "error_callback", first)
        return target, {**options, "accept_callback": lambda *args: seen.append(args)}


class AcceptsAfterwards(Mutant):
    """Acceptance is told after the outcome."""

    name, breaks, found_by = "accepts-afterwards", 2, "before_the_outcome"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        accepted = options.pop("accept_callback", None) or (lambda *args: None)
        seen: list[Any] = []
        options = around(options, "callback", lambda call: lambda value: (call(value), accepted(*seen[0])))
        return target, {**options, "accept_callback": lambda *args: seen.append(args)}


class AcceptsTwice(Mutant):
    """Acceptance is told twice."""

    name, breaks, found_by = "accepts-twice", 2, "before_the_outcome"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "accept_callback", lambda call: lambda *args: (call(*args), call(*args)))


class AcceptsOnSubmission(Mutant):
    """Acceptance is told when the job is taken."""

    name, breaks, found_by = "accepts-on-submission", 2, "when_it_happens or cancelled"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        accepted = options.pop("accept_callback", None)
        if accepted is not None:
            accepted(1, monotonic())
        return target, options


class TellsAnotherSlot(Mutant):
    """The slot that is told is not the job's."""

    name, breaks, found_by = "tells-another-slot", 2, "the_slot_is or what_acceptance"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "accept_callback", lambda call: lambda slot, at: call(slot + 1, at))


class TellsTheTimeOfSubmission(Mutant):
    """``accepted_at`` is when the job was submitted."""

    name, breaks, found_by = "tells-the-time-of-submission", 2, "when_it_happens or follow_each_other"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        now = monotonic()
        return target, around(options, "accept_callback", lambda call: lambda slot, at: call(slot, now))


class TheClockGoesBack(Mutant):
    """Each acceptance is told as some time before the one before it, and the job agrees."""

    name, breaks, found_by = "the-clock-goes-back", 2, "follow_each_other or what_acceptance"
    behind = itertools.count(1)

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def earlier(call: Callable[..., Any]) -> Callable[..., Any]:
            def tell(slot: int, at: float) -> None:
                for job in self.ledger.running():
                    if job.slot_id == slot:
                        job.accepted_at = at - next(self.behind)
                        call(slot, job.accepted_at)

            return tell

        return target, around(options, "accept_callback", earlier)


class AcceptsWhatWasCancelled(Mutant):
    """A job that is cancelled is told to have begun."""

    name, breaks, found_by = "accepts-what-was-cancelled", 2, "cancelled_job"

    def cancel_job(self, job: Job) -> bool:
        accepted = job.accept_callback
        if job.state is JobState.WAITING and accepted is not None:
            accepted(1, monotonic())
        return super().cancel_job(job)


class DiesOfACallback(Mutant):
    """A callback that raises ends the pool."""

    name, breaks, found_by = "dies-of-a-callback", 3, "a_callback_that_raises"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def fatal(call: Callable[..., Any]) -> Callable[..., Any]:
            def tell(value: Any) -> None:
                try:
                    call(value)
                except BaseException:
                    self.terminate()
                    raise

            return tell

        return target, around(options, "callback", fatal)


class LosesASlotToACallback(Mutant):
    """A callback that raises costs a slot."""

    name, breaks, found_by = "loses-a-slot-to-a-callback", 3, "many_callbacks"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def costly(call: Callable[..., Any]) -> Callable[..., Any]:
            def tell(value: Any) -> None:
                try:
                    call(value)
                except BaseException:
                    with contextlib.suppress(ValueError):
                        self.shrink()
                    raise

            return tell

        return target, around(options, "callback", costly)


class LogsNothing(Mutant):
    """What callbacks raise is swallowed."""

    name, breaks, found_by = "logs-nothing", 3, "a_callback_that_raises"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def quiet(call: Callable[..., Any]) -> Callable[..., Any]:
            def tell(*args: Any) -> None:
                with contextlib.suppress(BaseException):
                    call(*args)

            return tell

        for name in ("callback", "error_callback", "accept_callback"):
            options = around(options, name, quiet)
        return target, options


class TellsNothingMore(Mutant):
    """After an accept callback that raises no other callback comes."""

    name, breaks, found_by = "tells-nothing-more", 3, "a_callback_that_raises and accept_callback"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        failed: list[bool] = []

        def noting(call: Callable[..., Any]) -> Callable[..., Any]:
            def tell(*args: Any) -> None:
                failed.append(True)
                call(*args)
                failed.clear()

            return tell

        options = around(options, "accept_callback", noting)
        return target, around(options, "callback", lambda call: lambda value: failed or call(value))
