"""The locks that a listening thread has in common with Celery's loop.

Under a patch they would be locks of greenlets. Of these, eventlet's are for one thread: who waits for one that another
thread holds is never woken.
"""

from __future__ import annotations

import gc
import logging
from _thread import RLock  # which no patch replaces
from typing import Any

from kombu.utils.objects import cached_property


def make_native(mailbox: Any) -> None:
    """Give native locks to what two threads that use kombu share: its lazy attributes, loggers, a mailbox's clock.

    Until Python 3.11 those of lazy attributes always are. A greenlet that switches while it has one does no harm: for
    another one of its thread the lock is free.
    """
    for thing in gc.get_objects():
        if issubclass(type(thing), cached_property) and not isinstance(thing.lock, RLock):
            thing.lock = RLock()
    lock: Any = logging._lock  # type: ignore[attr-defined]
    if not isinstance(lock, RLock):
        with lock:
            logging._lock = RLock()  # type: ignore[attr-defined]
    mailbox.clock.mutex = RLock()
