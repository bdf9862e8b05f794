"""Points 7 to 12: unruly jobs, concurrency, backpressure, threads, tracebacks, contexts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import Context, copy_context
from typing import Any

from pools import Job
from pools.errors import RemoteError
from pools.states import JobState
from pools_prefork.pool import PreforkPool
from tests.kit.mutants.meddling import Mutant, Options, around


class DiesOfSystemExit(Mutant):
    """A job that raises ``SystemExit`` takes its slot along."""

    name, breaks, found_by = "dies-of-system-exit", 7, "whatever_a_job_raises or many_unruly"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except SystemExit:
                self.slots.surplus.append(None)
                raise

        return call, options


class TakesErrorsForItsOwn(Mutant):
    """What a job raises that looks like an act of the pool is taken for one."""

    name, breaks, found_by = "takes-errors-for-its-own", 7, "act_of_the_pool"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except BaseException as error:
                if "not from the pool" in str(error.args):
                    raise RuntimeError("a job was ended") from None
                raise

        return call, options


class SwallowsExits(Mutant):
    """A job that exits has succeeded."""

    name, breaks, found_by = "swallows-exits", 7, "whatever_a_job_raises"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except SystemExit:
                return None

        return call, options


class OneTooMany(Mutant):
    """One job more runs than there are slots."""

    name, breaks, found_by = "one-too-many", 8, "no_more or one_slot"

    def _set_up(self, size: int) -> None:
        super()._set_up(size + 1)

    @property
    def concurrency(self) -> int:
        return self.slots.size - 1


class OneTooFew(Mutant):
    """One job fewer."""

    name, breaks, found_by = "one-too-few", 8, "no_more"

    def _set_up(self, size: int) -> None:
        super()._set_up(max(1, size - 1))
        self.wanted = size

    @property
    def concurrency(self) -> int:
        return self.wanted


class GrowsOnPaper(Mutant):
    """``grow`` changes a number."""

    name, breaks, found_by = "grows-on-paper", 8, "grows_while"
    more = 0

    def grow(self, n: int = 1) -> None:
        self.more += n

    @property
    def concurrency(self) -> int:
        return self.slots.size + self.more


class ShrinksByAJob(Mutant):
    """A shrink ends a job that runs."""

    name, breaks, found_by = "shrinks-by-a-job", 8, "shrinks_while_jobs"

    def shrink(self, n: int = 1) -> None:
        super().shrink(n)
        for job in self.ledger.running()[:n]:
            job.terminate()


class ShrinksAndWaits(Mutant):
    """A shrink waits for the jobs that run."""

    name, breaks, found_by = "shrinks-and-waits", 8, "shrinks_while_jobs"

    def shrink(self, n: int = 1) -> None:
        self.join()
        super().shrink(n)


class ForgetsToShrink(Mutant):
    """Slots that are busy when the pool shrinks stay."""

    name, breaks, found_by = "forgets-to-shrink", 8, "shrinks_while_jobs"

    def shrink(self, n: int = 1) -> None:
        super().shrink(n)
        self.slots.surplus.clear()


class HasNoBound(Mutant):
    """``max_queued`` is ignored."""

    name, breaks, found_by = "has-no-bound", 9, "full_pool or so_many_may_wait"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self.permits = None


class TakesOneMore(Mutant):
    """One job more may wait."""

    name, breaks, found_by = "takes-one-more", 9, "full_pool or so_many_may_wait"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        if self.permits is not None:
            self.permits.resize(1)


class KeepsThePlaceOfAFailure(Mutant):
    """A job that fails gives its place not back."""

    name, breaks, found_by = "keeps-the-place-of-a-failure", 9, "a_place_comes_back"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except ZeroDivisionError:
                if self.permits is not None:
                    self.permits.resize(-1)
                raise

        return call, options


class ReadsEverything(Mutant):
    """``map`` reads its whole input first."""

    name, breaks, found_by = "reads-everything", 9, "no_further_ahead"

    def map(self, fn: Callable[..., Any], /, *iterables: Iterable[Any], **sizes: Any) -> Iterator[Any]:
        return super().map(fn, *map(list, iterables), **sizes)


class ReadsALittleTooFar(Mutant):
    """``map`` reads one item more."""

    name, breaks, found_by = "reads-a-little-too-far", 9, "no_further_ahead"

    def map(self, fn: Callable[..., Any], /, *iterables: Iterable[Any], **sizes: Any) -> Iterator[Any]:
        return super().map(
            fn, *iterables, **{**sizes, "buffersize": 1 + (sizes.get("buffersize") or 2 * self.concurrency)}
        )


class IsOfOneThread(Mutant):
    """Only the thread that opened the pool may submit."""

    name, breaks, found_by = "is-of-one-thread", 10, "waits_for_its_job"

    def on_start(self) -> None:
        super().on_start()
        self.mine = threading.get_ident()

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        if threading.get_ident() != self.mine:
            raise RuntimeError("wrong thread")
        return target, options


class LocksItself(Mutant):
    """A submission takes a lock that a signal handler's submission waits for."""

    name, breaks, found_by = "locks-itself", 10, "signal_handler"
    guard = threading.Lock()

    def apply_async(self, *args: Any, **options: Any) -> Job:
        with self.guard:
            return super().apply_async(*args, **options)


class LeavesItToNobody(Mutant):
    """A job that is submitted while another thread is being answered is left to that thread, which does not look."""

    name, breaks, found_by = "leaves-it-to-nobody", 10, "asked_meanwhile"
    guard = threading.Lock()

    def dispatch(self) -> None:
        if self.guard.acquire(blocking=False):
            try:
                super().dispatch()
            finally:
                self.guard.release()

    def cancel_job(self, job: Job) -> bool:
        with self.guard:
            return super().cancel_job(job)


class WrapsErrors(Mutant):
    """The error callback gets an exception of the pool's own."""

    name, breaks, found_by = "wraps-errors", 11, "original or any_type"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return target, around(options, "error_callback", lambda call: lambda error: call(RemoteError(repr(error))))


class RaisesWrapped(Mutant):
    """So does everybody, and the original is its cause."""

    name, breaks, found_by = "raises-wrapped", 11, "original or any_type"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return target(*args, **kwargs)
            except Exception as error:
                raise RuntimeError("a job failed") from error

        return call, options


class ShowsItself(Mutant):
    """The traceback begins in the pool."""

    name, breaks, found_by = "shows-itself", 11, "begins_in_the_job"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        return (lambda *args, **kwargs: target(*args, **kwargs)), options


class ForgetsTheLine(Mutant):
    """There is no traceback."""

    name, breaks, found_by = "forgets-the-line", 11, "begins_in_the_job or finds_the_line"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def forget(call: Callable[..., Any]) -> Callable[..., Any]:
            return lambda error: call(error.with_traceback(None))

        return target, around(options, "error_callback", forget)


class ForgetsTheCause(PreforkPool):
    """An exception comes from a child without the traceback of there."""

    name, breaks, found_by = "forgets-the-cause", 11, "is_the_cause"

    def tell(self, told: Any, link: Any) -> None:
        for job, reply in told:
            if job.error_callback is not None:
                job.error_callback = self._forgetting(job.error_callback)
            super().tell([(job, reply)], link)

    def _forgetting(self, call: Callable[[BaseException], object]) -> Callable[[BaseException], object]:
        def tell(error: BaseException) -> object:
            error.__cause__ = None
            return call(error)

        return tell


class PassesNoContext(Mutant):
    """Jobs see no context variable, and the trait says that they do."""

    name, breaks, found_by = "passes-no-context", 12, "context_of_its_submission"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self._copies_context = False


class EmptiesNothing(Mutant):
    """``context="empty"`` is ignored."""

    name, breaks, found_by = "empties-nothing", 12, "empty_context"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self._copies_context = True


class SharesAContext(Mutant):
    """All jobs run in one context."""

    name, breaks, found_by = "shares-a-context", 12, "do_not_leak"

    def on_start(self) -> None:
        super().on_start()
        self.shared: Context = copy_context()

    def on_apply(self, job: Job) -> None:
        job.context = self.shared
        super().on_apply(job)

    def next_job(self, slot_id: int) -> Job | None:
        job = super().next_job(slot_id)
        if job is not None and job.state is JobState.WAITING:
            job.context = self.shared
        return job
