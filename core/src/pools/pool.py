"""BasePool: the face of every pool, what its users call. The parts behind it have files of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import Context, copy_context
from typing import Any, NoReturn, TypeVar

from pools import mapping, reports, signals
from pools.call import AcceptCallback, Callback, ErrorCallback, TimeoutCallback
from pools.engine import Engine
from pools.errors import BrokenPoolError, PoolFullError, UnsupportedError
from pools.future import JobFuture, future_of
from pools.job import NO_KWARGS, Job
from pools.options import check_limits, slot_count
from pools.permits import Permits
from pools.states import PoolState
from pools.uncut import here, uncut

T = TypeVar("T")

_RUNNING = PoolState.RUNNING


class BasePool(Engine):
    """An execution pool. A subclass says how a job is run; everything that the contract asks for is here.

    A subclass sets :attr:`name` and :attr:`traits` and implements :meth:`on_apply`, and mostly :meth:`on_start` and
    :meth:`on_stop`; what else it implements depends on its traits (the methods under "For subclasses").

    Args:
        concurrency: How many jobs may run at once: a positive number, or ``"auto"`` (also None) for the processors
            that this process may use.
        options: The options of :class:`pools.options.PoolOptions`.

    Raises:
        UnsupportedError: The pool has no such option, or its traits rule a value out.
        ValueError: A value has no meaning.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in cls.__dict__:
            cls.name = cls.__name__

    def __repr__(self) -> str:
        return f"<pool {self.name}: {self._state.value}, concurrency {self.concurrency}>"

    @property
    def is_green(self) -> bool:
        """The trait ``is_green``."""
        return self.traits.is_green

    @property
    def signal_safe(self) -> bool:
        """The trait ``signal_safe``."""
        return self.traits.signal_safe

    @property
    def info(self) -> dict[str, Any]:
        """What the pool is doing now, as JSON-friendly values; ``running`` are the jobs that run at this moment."""
        return reports.info(self)

    @property
    def stats(self) -> dict[str, Any]:
        """What the pool has done since it started, as JSON-friendly values."""
        return reports.stats(self)

    # -- Jobs ----------------------------------------------------------------------------------------------------------

    def apply_async(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        callback: Callback | None = None,
        error_callback: ErrorCallback | None = None,
        accept_callback: AcceptCallback | None = None,
        timeout_callback: TimeoutCallback | None = None,
        soft_timeout: float | None = None,
        timeout: float | None = None,
        correlation_id: str | None = None,
    ) -> Job:
        """Take ``target(*args, **kwargs)`` as a job, which ends in exactly one outcome. Any thread may call this.

        What a callback raises is logged. Callbacks run where the outcome is settled, mostly in the job's slot, and
        hold that slot up: they should be quick.

        Args:
            target: What to call.
            args: Its positional arguments.
            kwargs: Its keyword arguments.
            callback: Called as ``callback(value)`` with what the call returned.
            error_callback: Called as ``error_callback(exception)`` if the job ended in any other way.
            accept_callback: Called as ``accept_callback(slot_id, accepted_at)`` before the outcome, if the job began.
            timeout_callback: Called as ``timeout_callback(soft, seconds)`` when a limit passes.
            soft_timeout: Seconds from acceptance after which ``SoftTimeLimitExceeded`` is raised in the job; the
                pool's, if None.
            timeout: Seconds from acceptance after which the job ends with ``TimeLimitExceeded``; the pool's, if None.
            correlation_id: What the host knows the job by.

        Raises:
            PoolStateError: The pool does not run.
            PoolFullError: ``max_queued`` jobs wait, and ``when_full`` is ``"raise"``.
            UnsupportedError: The pool has no such limits.
            BrokenPoolError: The pool cannot go on.
        """
        if self._state is not _RUNNING:
            self._refuse("apply_async")
        if self.broken is not None:
            self._refuse_broken(self.broken)
        job = Job(
            self,
            next(self._numbers),
            target,
            args,
            kwargs or NO_KWARGS,
            callback,
            error_callback,
            accept_callback,
            timeout_callback,
            copy_context() if self._copies_context else Context(),
        )
        if correlation_id is not None:
            job.correlation_id = correlation_id
        options = self.options
        if soft_timeout is not None or timeout is not None:
            check_limits(self.name, self.traits, soft_timeout, timeout)
        if soft_timeout or timeout or options.soft_timeout or options.timeout:
            job.soft_timeout = options.soft_timeout if soft_timeout is None else soft_timeout
            job.timeout = options.timeout if timeout is None else timeout
            job.limited = True
            self.check_limits_here()
        # Code that submits jobs is mostly in none, and is spared a call.
        take = self._take if here.interruptible is None else self._take_uncut
        if not take(job, self.permits):
            self._get_permit(job)
            take(job, None)
        return job

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> JobFuture[T]:
        """Take ``fn(*args, **kwargs)`` as a job and return it as a ``concurrent.futures.Future``.

        Raises:
            PoolStateError, PoolFullError, BrokenPoolError: As :meth:`apply_async`.
        """
        return future_of(self, fn, args, kwargs)

    async def run(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Run ``fn(*args, **kwargs)`` in the pool from a coroutine of asyncio; cancelling the one cancels the other."""
        from pools import aio

        return await aio.run(self, fn, args, kwargs)

    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        ordered: bool = True,
        buffersize: int | None = None,
        chunksize: int | None = None,
    ) -> Iterator[T]:
        """Call ``fn`` with the items of the iterables, as the built-in ``map`` does, and give the values.

        An item whose call did not succeed raises its outcome, and what has not begun by then is cancelled.

        Args:
            fn: What to call.
            iterables: Where its arguments come from.
            ordered: Whether values come in the order of the input, or as the calls end.
            buffersize: How many items are read ahead of what was handed out; by default two for each slot.
            chunksize: How many items make one job; by default one.

        Raises:
            ValueError: A size is not positive.
        """
        return mapping.map_jobs(self, fn, iterables, ordered, buffersize, chunksize)

    def terminate_job(self, slot_id: int, signal: int | str | None = None) -> bool:
        """Give the job that the slot has accepted the outcome terminated.

        Args:
            slot_id: As ``accept_callback`` gave it.
            signal: The signal that a pool of processes sends; the other pools have one way to end a job.

        Returns:
            Whether there was such a job.

        Raises:
            UnsupportedError: The pool's trait ``terminate`` says that running jobs cannot be ended.
        """
        self._require_trait("terminate", "end a job that runs")
        job = self.ledger.in_slot(slot_id)
        return job is not None and self.end_job(job, signal)

    def grow(self, n: int = 1) -> None:
        """Add ``n`` slots.

        Raises:
            PoolStateError: The pool does not run.
            UnsupportedError: The pool's trait ``resize`` says that it cannot.
        """
        self._resize("grow", n)

    def shrink(self, n: int = 1) -> None:
        """Remove ``n`` slots. Waits for no job and loses none: a slot that is busy goes when its job has ended.

        Raises:
            PoolStateError: The pool does not run.
            UnsupportedError: The pool's trait ``resize`` says that it cannot.
            ValueError: No slot would be left.
        """
        self._resize("shrink", n)

    @uncut
    def _resize(self, call: str, n: int) -> None:
        self._require_trait("resize", f"{call} while it runs")
        if self._state is not _RUNNING:
            self._refuse(call)
        if not isinstance(n, int) or n < 1:
            raise ValueError(f"{call} wants a positive number of slots, not {n!r}")
        if call == "grow":
            slot_count(self.name, self.traits, self.concurrency + n)
            self.slots.grow(n)
        else:
            try:
                gone = self.slots.shrink(n)
            except IndexError:
                raise ValueError(
                    f"pool {self.name} has {self.concurrency} slots and cannot shrink by {n}: one must stay"
                ) from None
            self.on_slots_gone(gone)
        if self.permits is not None:
            self.permits.resize(n if call == "grow" else -n)
        self.dispatch()
        # Whoever looked in the middle of this may have seen a slot too few among the free ones.
        self.check_idle()

    def _require_trait(self, trait: str, what: str) -> None:
        if not getattr(self.traits, trait):
            raise UnsupportedError(f"pool {self.name} cannot {what} (trait {trait} is False)")

    def _take(self, job: Job, permits: Permits | None) -> bool:
        """Have a job wait for its slot; returns whether there was a permit for it."""
        if permits is not None and not permits.try_acquire():
            return False
        if signals.apply.receivers:
            signals.emit(signals.apply, self, job=job, target=job.target, args=job.args, kwargs=dict(job.kwargs))
        self.ledger.waiting[job] = True
        self.queue.append(job)
        if self.slots.free:
            self.dispatch()
        if self._state is not _RUNNING or self.broken is not None:
            self._take_back(job)
        return True

    _take_uncut = uncut(_take)

    def _get_permit(self, job: Job) -> None:
        """Wait for a permit, if the pool is one that has submissions wait."""
        assert self.permits is not None
        if self.options.when_full == "raise":
            raise PoolFullError(
                f"pool {self.name} is full: {self.concurrency} jobs may run and "
                f"{self.options.queue_limit} wait, and when_full is 'raise'"
            )
        self.check_may_wait(job)
        if not self.permits.acquire(lambda: self._state is not _RUNNING):
            self._refuse("apply_async")

    def _take_back(self, job: Job) -> None:
        """Refuse a job after all, unless it has begun: the pool closed or broke while it was being taken."""
        if self.ledger.waiting.pop(job, False):
            if self.permits is not None:
                self.permits.release()
            self.check_idle()
            if self.broken is not None:
                self._refuse_broken(self.broken)
            self._refuse("apply_async")

    def _refuse_broken(self, error: BaseException) -> NoReturn:
        raise BrokenPoolError(f"pool {self.name} is broken: {error!r}") from error
