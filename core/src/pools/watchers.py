"""Who is told, beside its callbacks, that a job has its outcome: those who wait for it, and what is built on jobs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools.job import Job

    Watcher = Callable[[Job], object]

log = logging.getLogger(__name__)


class Watchers:
    """The watchers of one pool's jobs; each is called once. Any thread may call these methods, and greenlets may.

    Attributes:
        of: By job, those that have not been called.
    """

    __slots__ = ("of",)

    def __init__(self) -> None:
        self.of: dict[Job, list[Watcher]] = {}

    def add(self, job: Job, fn: Watcher) -> None:
        """Call ``fn(job)`` once the job has its outcome; at once if it has."""
        watchers = self.of.setdefault(job, [])
        watchers.append(fn)
        if job.done():
            # Who settled it may have looked before we came.
            self.of.pop(job, None)
            _tell(job, watchers)

    def remove(self, job: Job, fn: Watcher) -> None:
        """Call ``fn(job)`` no more, if it was not called yet."""
        with contextlib.suppress(ValueError):  # it was
            self.of.get(job, []).remove(fn)

    def tell(self, job: Job) -> None:
        """Tell those who watch the job that it has its outcome."""
        _tell(job, self.of.pop(job, []))


def _tell(job: Job, watchers: list[Watcher]) -> None:
    with contextlib.suppress(IndexError):  # nobody is left; whoever takes a watcher off the list calls it
        while True:
            watcher = watchers.pop(0)
            try:
                watcher(job)
            except BaseException:
                log.exception("%r, which watches for the outcome of %s, raised", watcher, job)
