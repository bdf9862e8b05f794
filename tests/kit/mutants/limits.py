"""Points 5 and 6: limits, and how jobs are ended."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from time import monotonic
from typing import Any

from pools import Job
from pools.errors import Cancelled, SoftTimeLimitExceeded, Terminated, TimeLimitExceeded
from pools.states import JobState
from tests.kit.mutants.meddling import Mutant, Options, around


class CountsFromSubmission(Mutant):
    """Limits are counted from submission."""

    name, breaks, found_by = "counts-from-submission", 5, "count_from_acceptance"

    def _take(self, job: Job, permits: Any) -> bool:
        self.taken_at: dict[int, float] = {**getattr(self, "taken_at", {}), job.id: monotonic()}
        return super()._take(job, permits)

    def watch_limits(self, job: Job, now: float) -> None:
        super().watch_limits(job, self.taken_at[job.id])


class HitsWhoeverRuns(Mutant):
    """A soft limit hits whatever runs in the slot when it passes."""

    name, breaks, found_by = "hits-whoever-runs", 5, "job_that_has_ended"

    def watch_limits(self, job: Job, now: float) -> None:
        super().watch_limits(job, now)
        if job.soft_timeout is not None:
            thread = self._workers[job.slot_id].thread.ident
            self.timer.call_after(job.soft_timeout, self.hit, (thread,))

    def hit(self, thread: int) -> None:
        """Raise it there, without another look."""
        raised = ctypes.py_object(SoftTimeLimitExceeded)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)


class TellsNoLimit(Mutant):
    """The timeout callback is not called."""

    name, breaks, found_by = "tells-no-limit", 5, "is_raised_in_the_job or ends_the_job"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, {**options, "timeout_callback": None}


class TellsLimitsTwice(Mutant):
    """It is called twice."""

    name, breaks, found_by = "tells-limits-twice", 5, "is_raised_in_the_job or ends_the_job"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "timeout_callback", lambda call: lambda *args: (call(*args), call(*args)))


class TellsLimitsWrong(Mutant):
    """It is told that every limit is a hard one."""

    name, breaks, found_by = "tells-limits-wrong", 5, "is_raised_in_the_job"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "timeout_callback", lambda call: lambda soft, seconds: call(False, seconds))


class TakesLateForSuccess(Mutant):
    """A job past its hard limit is reported as a success."""

    name, breaks, found_by = "takes-late-for-success", 5, "ends_the_job"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        succeed = options.get("callback") or (lambda value: None)

        def instead(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda error: succeed(None) if isinstance(error, TimeLimitExceeded) else call(error)

        return target, around(options, "error_callback", instead)


class StopsNothingPastALimit(Mutant):
    """A job past its hard limit goes on."""

    name, breaks, found_by = "stops-nothing-past-a-limit", 5, "is_stopped"

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        worker = self._workers[job.slot_id]
        worker.abandoned = True
        self.slots.replace()
        self.dispatch()
        return False


class HasNoStack(Mutant):
    """Where the job stood is not told."""

    name, breaks, found_by = "has-no-stack", 5, "the_stack"

    def stack_of(self, job: Job) -> str:
        return ""


class IgnoresShields(Mutant):
    """A soft limit is raised inside a shield."""

    name, breaks, found_by = "ignores-shields", 5, "shield_defers"

    def on_shield(self, job: Job) -> None:
        job.shielded = 0


class IgnoresItsOwnLimits(Mutant):
    """The limits of the pool do not hold for jobs without any."""

    name, breaks, found_by = "ignores-its-own-limits", 5, "limits_of_the_pool"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, {"soft_timeout": 1e6, "timeout": 1e6, **options}


class IsEarly(Mutant):
    """A limit passes before its time."""

    name, breaks, found_by = "is-early", 5, "ends_the_job or is_raised_in_the_job"

    def watch_limits(self, job: Job, now: float) -> None:
        super().watch_limits(job, now - 0.04)


class RaisesTheWrongLimit(Mutant):
    """A hard limit ends a job with the error of a soft one."""

    name, breaks, found_by = "raises-the-wrong-limit", 5, "ends_the_job"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def other(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda error: call(
                SoftTimeLimitExceeded(*error.args) if isinstance(error, TimeLimitExceeded) else error
            )

        return target, around(options, "error_callback", other)


class CancelsWhatRuns(Mutant):
    """A job that runs is reported as cancelled."""

    name, breaks, found_by = "cancels-what-runs", 6, "only_asked"

    def cancel_job(self, job: Job) -> bool:
        if self.ledger.accepted.pop(job, False):
            job.settle(JobState.CANCELLED, error=Cancelled(f"{job} was cancelled"))
            return True
        return super().cancel_job(job)


class CancelsAndRuns(Mutant):
    """A job that was cancelled runs all the same."""

    name, breaks, found_by = "cancels-and-runs", 6, "waits_is_cancelled"

    def cancel_job(self, job: Job) -> bool:
        target, args = job.target, job.args
        cancelled = super().cancel_job(job)
        if cancelled:
            super().apply_async(target, args)
        return cancelled


class NeverAsks(Mutant):
    """A job that runs is not told that its end was asked for."""

    name, breaks, found_by = "never-asks", 6, "only_asked"

    def cancel_job(self, job: Job) -> bool:
        return job.state is JobState.WAITING and super().cancel_job(job)


class TerminatesNothing(Mutant):
    """``terminate`` says True, and nothing happens."""

    name, breaks, found_by = "terminates-nothing", 6, "runs_is_terminated"

    def end_job(self, job: Job, signal: int | str | None = None) -> bool:
        return not job.done() if not self.terminating else super().end_job(job, signal)


class TerminatesOnPaper(Mutant):
    """A job that was terminated has its outcome, and goes on."""

    name, breaks, found_by = "terminates-on-paper", 6, "runs_is_terminated"

    def end_job(self, job: Job, signal: int | str | None = None) -> bool:
        if self.ledger.accepted.pop(job, False):
            job.settle(JobState.TERMINATED, error=Terminated(f"{job} was terminated while it ran"))
            return True
        return super().end_job(job, signal)


class TerminatesAnother(Mutant):
    """``terminate_job`` ends whatever runs first."""

    name, breaks, found_by = "terminates-another", 6, "is_the_one or runs_nothing"

    def terminate_job(self, slot_id: int, signal: int | str | None = None) -> bool:
        running = self.ledger.running()
        return bool(running) and self.end_job(running[0], signal)


class LosesTheSlot(Mutant):
    """A slot whose job was terminated is not there any more."""

    name, breaks, found_by = "loses-the-slot", 6, "runs_is_terminated"

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        self._workers[job.slot_id].abandon(job)
        return False
