"""Points 13 to 15: what is said, what is ignored, sizes; and traits that are not true."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pools import BasePool, Job
from pools.spec import Traits
from pools_threads.pool import ThreadsPool
from tests.contract.strangers import ThreadPerJob
from tests.kit.mutants.meddling import Mutant, Options


def _without(trait: str) -> Traits:
    lacking: Any = {trait: None if trait == "hard_timeout" else False}
    return dataclasses.replace(ThreadsPool.traits, **lacking)


class SaysNothingRuns(Mutant):
    name, breaks, found_by = "says-nothing-runs", 13, "what_info_says"

    @property
    def info(self) -> dict[str, Any]:
        return {**super().info, "running": []}


class SaysTheWrongSlot(Mutant):
    name, breaks, found_by = "says-the-wrong-slot", 13, "what_info_says"

    @property
    def info(self) -> dict[str, Any]:
        info = super().info
        return {**info, "running": [{**entry, "slot_id": 1} for entry in info["running"]]}


class SaysThatCancelledJobsWait(Mutant):
    name, breaks, found_by = "says-that-cancelled-jobs-wait", 13, "what_info_says"

    @property
    def info(self) -> dict[str, Any]:
        return {**super().info, "waiting": len(self.queue)}


class SaysTheWrongSize(Mutant):
    name, breaks, found_by = "says-the-wrong-size", 13, "knows_the_size or has_nothing_to_do"

    @property
    def info(self) -> dict[str, Any]:
        return {**super().info, "concurrency": len(self.slots.free)}


class IsNotJson(Mutant):
    name, breaks, found_by = "is-not-json", 13, "has_nothing_to_do"

    @property
    def info(self) -> dict[str, Any]:
        return {**super().info, "state": self.state}


class CountsWrong(Mutant):
    name, breaks, found_by = "counts-wrong", 13, "count_every_outcome"

    @property
    def stats(self) -> dict[str, Any]:
        stats = super().stats
        jobs = stats["jobs"]
        return {**stats, "jobs": {**jobs, "succeeded": jobs["succeeded"] + jobs["failed"], "failed": 0}}


class NeverForgetsACount(Mutant):
    name, breaks, found_by = "never-forgets-a-count", 13, "counts_anew"

    def _set_up(self, size: int) -> None:
        counts = getattr(self, "counts", None)
        super()._set_up(size)
        self.counts = counts or self.counts


class IgnoresUnknownOptions(Mutant):
    name, breaks, found_by = "ignores-unknown-options", 14, "unknown_option"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        known = self.options_class.__dataclass_fields__
        super().__init__(concurrency, **{name: value for name, value in options.items() if name in known})


class IgnoresMeaninglessLimits(Mutant):
    name, breaks, found_by = "ignores-meaningless-limits", 14, "option_without_meaning"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        if options.get("timeout") == 0:
            options["timeout"] = None
        super().__init__(concurrency, **options)


class NeverInitializes(Mutant):
    name, breaks, found_by = "never-initializes", 14, "the_initializer"

    def initialize(self) -> bool:
        return True


class InitializesOnce(Mutant):
    name, breaks, found_by = "initializes-once", 14, "the_initializer"
    done = False

    def initialize(self) -> bool:
        done, self.done = self.done, True
        return done or super().initialize()


class OutlivesItsInitializer(Mutant):
    name, breaks, found_by = "outlives-its-initializer", 14, "initializer_that_raises"

    def break_down(self, error: BaseException) -> None:
        """Go on regardless."""


class Silent(Mutant):
    """A pool that does not declare a trait, and does what it likes when it is asked for that."""

    breaks, found_by = 14, "not_declared"


class IgnoresSoftLimits(Silent):
    name, traits = "ignores-soft-limits", _without("soft_timeout")

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, {**options, "soft_timeout": None}


class IgnoresHardLimits(Silent):
    name, traits = "ignores-hard-limits", _without("hard_timeout")

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, {**options, "timeout": None}


class IgnoresTerminations(Silent):
    name, traits = "ignores-terminations", _without("terminate")

    def terminate_job(self, slot_id: int, signal: int | str | None = None) -> bool:
        return False


class IgnoresResizes(Silent):
    name, traits = "ignores-resizes", _without("resize")

    def grow(self, n: int = 1) -> None:
        """Do nothing."""

    def shrink(self, n: int = 1) -> None:
        """Do nothing."""


class _Lenient(Silent):
    """Takes an option that it does not declare."""

    found_by = "option_that_is_not_declared"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **{name: v for name, v in options.items() if name != self.dropped})

    dropped: ClassVar[str]


class IgnoresTheContext(_Lenient):
    name, traits, dropped = "ignores-the-context", _without("context"), "context"


class IgnoresTheInitializer(_Lenient):
    name, traits, dropped = "ignores-the-initializer", _without("initializer"), "initializer"


class Boasts(ThreadPerJob):
    """Declares everything, and does what a pool of twenty lines does."""

    name, breaks, found_by = "boasts", 14, "is_declared_works"
    traits = dataclasses.replace(ThreadPerJob.traits, soft_timeout=True, hard_timeout="abandon", terminate=True)


class TakesMoreThanDeclared(Mutant):
    name, breaks, found_by = "takes-more-than-declared", 14, "more_slots_than_declared"
    traits = dataclasses.replace(ThreadsPool.traits, max_concurrency=3)

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(min(concurrency, 3) if isinstance(concurrency, int) else concurrency, **options)


class CountsTheHost(Mutant):
    """``"auto"`` is the processors of the host."""

    name, breaks, found_by = "counts-the-host", 15, "affinity"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__((os.cpu_count() or 1) + 1 if concurrency in (None, "auto") else concurrency, **options)


class KnowsNoQuota(Mutant):
    """``"auto"`` is the processors of the affinity."""

    name, breaks, found_by = "knows-no-quota", 15, "auto"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        count = len(os.sched_getaffinity(0))
        super().__init__(count if concurrency in (None, "auto") else concurrency, **options)


class Standalone(BasePool):
    """Runs each job where it is submitted, and knows nothing of slots: whoever comes second runs beside it."""

    name, breaks, found_by = "standalone", 8, "one_slot or no_more"
    traits = Traits(context=True)

    def apply_async(
        self, target: Callable[..., Any], args: Any = (), kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> Job:
        self.slots.free.append(self.slots.first)
        return super().apply_async(target, args, kwargs, **options)

    def on_apply(self, job: Job) -> None:
        job.run()
