"""Logging from a native thread in a process that is patched, where the locks of handlers belong to greenlets.

Whoever waited for such a lock there would never hear that it is free, and some greenlet that waits for it would not
either.
"""

from __future__ import annotations

import logging


def handled(log: logging.Logger, record: logging.LogRecord) -> bool:
    """Have the handlers of a logger handle a record, without waiting for any of their locks.

    Returns:
        Whether they have; not, if somebody has one of the locks.
    """
    taken = []
    try:
        for handler in _handlers(log):
            if handler.lock is not None:
                if not handler.lock.acquire(blocking=False):
                    return False
                taken.append(handler.lock)
        log.handle(record)
        return True
    finally:
        for lock in taken:
            lock.release()


def _handlers(log: logging.Logger) -> list[logging.Handler]:
    found: list[logging.Handler] = []
    at: logging.Logger | None = log
    while at is not None:
        found += at.handlers
        at = at.parent if at.propagate else None
    # Who has not set up logging has this one.
    return found or ([logging.lastResort] if logging.lastResort is not None else [])
