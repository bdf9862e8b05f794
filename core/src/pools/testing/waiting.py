"""Waiting for what must happen, and no longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from time import monotonic

from pools.permits import Event
from pools.testing.history import lose_patience, patience


def wait(event: Event, what: str = "what must happen", whose: object = "") -> None:
    """Wait for an event that must come."""
    seconds = patience()
    if not event.wait(seconds):
        lose_patience()
        raise AssertionError(f"waited {seconds} s in vain for {what} {whose}".rstrip())


def eventually(holds: Callable[[], object], seconds: float | None = None) -> bool:
    """Wait until something holds, for as long as it may take; returns whether it does."""
    give_up_at = monotonic() + (patience() if seconds is None else seconds)
    while not holds():
        if monotonic() > give_up_at:
            if seconds is None:
                lose_patience()
            return False
        time.sleep(0.002)
    return True


def pause(seconds: float) -> None:
    """Give what should not happen the time to show itself."""
    time.sleep(seconds)
