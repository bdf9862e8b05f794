"""``pool.map``: one call per item of the input, read no further ahead than a bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
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
    feed = _Feed(pool, fn, chunks)
    results = _in_order(feed) if ordered else _as_they_come(feed)
    feed.read(window)
    return results


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value!r}")
    return value


class _Feed:
    """The jobs of one ``map`` whose results were not handed out yet."""

    def __init__(self, pool: BasePool, fn: Callable[..., Any], chunks: Iterator[list[tuple[Any, ...]]]) -> None:
        self.pool = pool
        self.fn = fn
        self.chunks = chunks
        self.jobs: dict[Job, None] = {}
        self.ended: deque[Job] = deque()
        self.news = pool.new_event()

    def read(self, count: int) -> None:
        """Read up to ``count`` chunks of the input and give them to the pool."""
        for chunk in islice(self.chunks, count):
            job = self.pool.apply_async(run_chunk, (self.fn, chunk))
            self.jobs[job] = None
            job.when_done(self._note)

    def cancel(self) -> None:
        """Cancel what was not begun: nobody wants its results any more."""
        for job in self.jobs:
            job.cancel()

    def next_ended(self) -> Job:
        """Wait for the job that ends next, in whatever order."""
        while True:
            if self.ended:
                return self.ended.popleft()
            self.news = self.pool.new_event()
            if not self.ended:
                self.news.wait()

    def _note(self, job: Job) -> None:
        self.ended.append(job)
        self.news.set()


def _in_order(feed: _Feed) -> Iterator[Any]:
    try:
        while feed.jobs:
            job = next(iter(feed.jobs))
            values = job.result()
            del feed.jobs[job]
            yield from values
            feed.read(1)
    finally:
        feed.cancel()


def _as_they_come(feed: _Feed) -> Iterator[Any]:
    try:
        while feed.jobs:
            job = feed.next_ended()
            del feed.jobs[job]
            yield from job.result()
            feed.read(1)
    finally:
        feed.cancel()
