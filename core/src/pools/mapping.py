"""``pool.map``: one call per item of the input, read no further ahead than a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pools.job import Job
    from pools.pool import BasePool

T = TypeVar("T")


def run_chunk(fn: Callable[..., T], chunk: list[tuple[Any, ...]]) -> list[T]:
    """Make one job's calls."""
    return [fn(*args) for args in chunk]


def map_jobs(
    pool: BasePool,
    fn: Callable[..., T],
    iterables: tuple[Iterable[Any], ...],
    ordered: bool,
    buffersize: int | None,
    chunksize: int | None,
) -> Iterator[T]:
    """What :meth:`pools.BasePool.map` returns; the first jobs are given to the pool before it is."""
    if not iterables:
        raise TypeError("map wants at least one iterable")
    chunksize = 1 if chunksize is None else _positive("chunksize", chunksize)
    buffersize = 2 * pool.concurrency * chunksize if buffersize is None else _positive("buffersize", buffersize)
    calls = zip(*iterables, strict=False)
    chunks = iter(lambda: list(islice(calls, min(chunksize, buffersize))), [])
    window = max(1, buffersize // chunksize)
    feed = _Feed(pool, fn, chunks, ordered)
    results = _results(feed)
    # It has to be begun: closing it, before anything was asked of it too, is what cancels the rest.
    next(results)
    try:
        feed.read(window)
    except BaseException:
        results.close()
        raise
    return results


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value!r}")
    return value


class _Feed:
    """The jobs of one ``map`` whose results were not handed out yet."""

    def __init__(
        self, pool: BasePool, fn: Callable[..., Any], chunks: Iterator[list[tuple[Any, ...]]], ordered: bool
    ) -> None:
        self.pool = pool
        self.fn = fn
        self.chunks = chunks
        self.ordered = ordered
        self.jobs: dict[Job, None] = {}
        self.ended: deque[Job] = deque()
        self.news = pool.new_event()

    def read(self, count: int) -> None:
        """Read up to ``count`` chunks of the input and give them to the pool."""
        for chunk in islice(self.chunks, count):
            job = self.pool.apply_async(run_chunk, (self.fn, chunk))
            self.jobs[job] = None
            if not self.ordered:
                job.when_done(self._note)

    def cancel(self) -> None:
        """Cancel what was not begun: nobody wants its results any more."""
        for job in self.jobs:
            job.cancel()

    def take(self) -> list[Any]:
        """Wait for the results that are next, and hand them out."""
        job = next(iter(self.jobs)) if self.ordered else self._next_ended()
        del self.jobs[job]
        try:
            return job.result()  # type: ignore[no-any-return]
        finally:
            # The traceback of what this raises has this frame: what it refers to would keep itself alive.
            del job

    def _next_ended(self) -> Job:
        """Wait for the job that ends next, in whatever order."""
        while not self.ended:
            self.news = self.pool.new_event()
            if not self.ended:
                self.pool.check_may_wait(next(iter(self.jobs)))
                self.news.wait()
        return self.ended.popleft()

    def _note(self, job: Job) -> None:
        self.ended.append(job)
        self.news.set()


def _results(feed: _Feed) -> Generator[Any, None, None]:
    try:
        yield None
        while feed.jobs:
            values = feed.take()
            values.reverse()
            while values:
                yield values.pop()
            feed.read(1)
    finally:
        feed.cancel()
