"""PoolExecutor: any pool as an executor of the standard library."""

from __future__ import annotations

import _thread
import concurrent.futures
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from pools import registry
from pools.current import current_job
from pools.errors import PoolStateError, UsageError
from pools.future import JobFuture
from pools.mapping import run_chunk
from pools.pool import BasePool
from pools.states import PoolState

P = ParamSpec("P")
T = TypeVar("T")

_REFUSAL = "cannot schedule new futures after shutdown"


class PoolExecutor(concurrent.futures.Executor):
    """A ``concurrent.futures.Executor`` whose calls are jobs of a pool.

    An executor that opened its pool stops it: after :meth:`shutdown`, after the last reference to the executor is
    gone, and at the end of the program, each time as soon as what was submitted is done. A pool that was given to it
    running belongs to whoever opened it: the executor waits for its own jobs there and leaves the pool running.

    Attributes:
        pool: The pool.

    Args:
        max_workers: How many calls may run at once, the pool's ``concurrency``; what is configured, if None.
        pool: The pool to open, by a name that ``pools.open`` takes, or None for the configured one; or a pool that
            runs.
        initializer: Called as ``initializer(*initargs)`` in each slot before its first call. If it raises, the executor
            is broken: what waits, and every later :meth:`submit`, fails with a ``BrokenExecutor``.
        initargs: Its arguments.
        options: Further options for ``pools.open``. A time limit is that of a job: of one call, or one chunk of
            :meth:`map`.

    Raises:
        ValueError: ``max_workers`` is not positive.
        TypeError: ``initializer`` cannot be called.
        UsageError: The given pool runs, so that nothing else can be chosen any more.
        PoolStateError: The given pool does not run.
        PoolsError: As ``pools.open``.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        pool: str | BasePool | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        **options: Any,
    ) -> None:
        if max_workers is not None and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._shut_down = False
        self._unfinished: dict[concurrent.futures.Future[Any], JobFuture[Any]] = {}
        self._finalizer: weakref.finalize[Any, PoolExecutor] | None = None
        if isinstance(pool, BasePool):
            if max_workers is not None or initializer is not None or options:
                raise UsageError(
                    f"pool {pool.name} runs already: give max_workers, initializer and options where it is opened"
                )
            if pool.state is not PoolState.RUNNING:
                raise PoolStateError(f"pool {pool.name} is {pool.state.value}: start it before an executor uses it")
            self.pool = pool
        else:
            self.pool = registry.open(pool, max_workers, initializer=initializer, initargs=initargs, **options)
            self._finalizer = weakref.finalize(self, _stop_soon, self.pool)
            # At the end of the program the pool stops by itself.
            self._finalizer.atexit = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> JobFuture[T]:
        """Take ``fn(*args, **kwargs)`` as a job and return its future.

        Raises:
            RuntimeError: The executor is shut down, or its pool does not run any more.
            BrokenExecutor: The initializer raised.
            PoolFullError: By the options ``max_queued`` and ``when_full``.
        """
        if self._shut_down:
            raise RuntimeError(_REFUSAL)
        try:
            future = self.pool.submit(fn, *args, **kwargs)
        except PoolStateError:
            # Shut down by another thread meanwhile, or the pool was stopped over the executor's head.
            if self._shut_down:
                raise RuntimeError(_REFUSAL) from None
            raise
        self._unfinished[future] = future
        future.add_done_callback(self._unfinished.pop)
        return future

    def map(
        self,
        fn: Callable[..., T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[T]:
        """Call ``fn`` with the items of the iterables, as the built-in ``map`` does, and give the values in order.

        A call that raised raises when its value's turn has come. Then, and when the iterator is closed, what has not
        begun is cancelled.

        Args:
            fn: What to call.
            iterables: Where its arguments come from; read to their end before this returns, unless there is a
                ``buffersize``.
            timeout: Seconds from now after which the iterator raises ``TimeoutError`` instead of waiting on.
            chunksize: How many calls make one job. A call that raises takes with it the values of its whole chunk.
            buffersize: How many jobs there may be whose values were not handed out; None for any number.

        Raises:
            ValueError: A size is not positive.
            TypeError: ``buffersize`` is not a number.
            RuntimeError, BrokenExecutor, PoolFullError: As :meth:`submit`.
        """
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None and not isinstance(buffersize, int):
            raise TypeError("buffersize must be an integer or None")
        if buffersize is not None and buffersize < 1:
            raise ValueError("buffersize must be None or > 0")
        give_up_at = None if timeout is None else monotonic() + timeout
        calls = zip(*iterables, strict=False)
        if chunksize == 1:
            return _in_order((self.submit(fn, *args) for args in calls), buffersize, give_up_at)
        chunks = iter(lambda: list(islice(calls, chunksize)), [])
        values = _in_order((self.submit(run_chunk, fn, chunk) for chunk in chunks), buffersize, give_up_at)
        return (value for chunk in values for value in chunk)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, and stop the pool if the executor opened it. May be called again.

        Args:
            wait: Whether to return only when every call has ended and the pool is stopped. Otherwise that is so later,
                without anyone waiting for it.
            cancel_futures: Whether to cancel what has not begun.

        Raises:
            PoolStateError: A job of the executor would wait for itself.
        """
        self._shut_down = True
        if self._finalizer is not None:
            self.pool.close()
        if cancel_futures:
            for future in self._unfinished.copy().values():
                if not future.running():
                    future.cancel()
        if self._finalizer is None:
            if wait:
                self._wait_for_jobs()
        elif wait or self._idle():
            self.pool.stop()
            self._finalizer.detach()
        elif self._finalizer.detach():
            _stop_soon(self.pool)

    def _wait_for_jobs(self) -> None:
        unfinished = self._unfinished.copy().values()
        if any(future.job is current_job() for future in unfinished):
            raise PoolStateError("a job cannot wait for its own end: call shutdown(wait=False) in it")
        for future in unfinished:
            future.wait()

    def _idle(self) -> bool:
        """Whether to stop the pool means waiting for nothing."""
        return not self.pool.in_slot() and self.pool.join(timeout=0)


def _in_order(submitted: Iterator[JobFuture[T]], ahead: int | None, give_up_at: float | None) -> Iterator[T]:
    """Give the values of futures, of which at most ``ahead`` are asked for before their turn: so many now."""
    futures: deque[JobFuture[T]] = deque()
    try:
        futures.extend(islice(submitted, ahead))
    except BaseException:
        _cancel(futures)
        raise
    return _values(futures, submitted, give_up_at)


def _values(futures: deque[JobFuture[T]], submitted: Iterator[JobFuture[T]], give_up_at: float | None) -> Iterator[T]:
    try:
        while futures:
            # No variable is left that would hold on to a value while the caller has the turn.
            values = [_value(futures.popleft(), give_up_at)]
            futures.extend(islice(submitted, 1))
            yield values.pop()
    finally:
        _cancel(futures)


def _value(future: JobFuture[T], give_up_at: float | None) -> T:
    try:
        return future.result(None if give_up_at is None else give_up_at - monotonic())
    except BaseException:
        future.cancel()
        raise
    finally:
        # The traceback of what is raised has this frame, and the future has what is raised.
        del future


def _cancel(futures: Iterable[JobFuture[Any]]) -> None:
    for future in futures:
        future.cancel()


def _stop_soon(pool: BasePool) -> None:
    """Stop a pool without waiting for it, on a thread (a greenlet, after a green pool's patch).

    Also called by the garbage collector, in the middle of whatever a thread or a hub does. To start a ``Thread`` takes
    locks and waits for it, so this leaves that to a bare thread, which takes and waits for nothing.
    """
    with suppress(RuntimeError):  # a program that is ending starts no thread, and stops the pool itself
        _thread.start_new_thread(_begin_to_stop, (pool,))


def _begin_to_stop(pool: BasePool) -> None:
    with suppress(RuntimeError):  # the same
        threading.Thread(target=pool.stop, name=f"pools-{pool.name}-stop", daemon=True).start()
