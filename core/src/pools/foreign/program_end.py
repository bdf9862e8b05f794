"""The end of a program whose pools use executors, which end before what ``atexit`` knows of."""

from __future__ import annotations

import sys
import threading
import weakref
from concurrent.futures import Executor

from pools.pool import BasePool

#: The pools that use executors.
_pools: weakref.WeakSet[BasePool] = weakref.WeakSet()

#: The kinds of their executors.
_kinds: set[type[Executor]] = set()


def stop_in_time(pool: BasePool, executor: Executor) -> None:
    """See to it that a pool that nobody stops is stopped while its executor still takes calls.

    Executors shut down when the main thread has ended, which is before anything of ``atexit`` runs. Who came last is
    called first there, and an executor comes when its module is imported, or else (loky's) when it is first used: so
    call this when it has been.
    """
    _pools.add(pool)
    if type(executor) not in _kinds:
        _kinds.add(type(executor))
        # What those executors use themselves; there is no public way to be called before them.
        threading._register_atexit(_stop_all)  # type: ignore[attr-defined]


def _stop_all() -> None:
    for pool in list(_pools):
        try:
            pool.stop()
        except Exception as error:  # told as by atexit, and what else ends with the program does
            sys.excepthook(type(error), error, error.__traceback__)
