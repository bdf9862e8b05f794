"""The application of the tests, with a watch on eventlet's locks: notes each that two native threads have taken.

Such a lock need not be contended to be noted, so that one run finds what would be fatal once in a thousand.
"""

from __future__ import annotations

import itertools
import traceback
from typing import Any

from eventlet import patcher, semaphore

from tests.celery.tasks import app, note

__all__ = ["app"]

get_ident = patcher.original("_thread").get_ident
acquire = semaphore.Semaphore.acquire
#: By lock, the thread that took it first; the locks are kept, so that no identity is used again.
taken: dict[int, tuple[Any, int]] = {}


def watched(lock: Any, *args: Any, **options: Any) -> Any:
    """Take a lock, and note if another thread had taken it before."""
    _, thread = taken.setdefault(id(lock), (lock, get_ident()))
    if thread != get_ident():
        stack = traceback.extract_stack()
        # A finalizer is called by whoever happens to collect garbage, and has what nobody else has.
        if not any(frame.name == "__del__" for frame in stack):
            places = [f"{frame.filename}:{frame.lineno}" for frame in itertools.islice(reversed(stack), 1, 7)]
            note(f"shared {' '.join(places)}")
    return acquire(lock, *args, **options)


semaphore.Semaphore.acquire = watched
semaphore.Semaphore.__enter__ = watched
