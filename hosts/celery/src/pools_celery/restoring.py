"""Messages of workers that died, on transports that keep those themselves: looked for again and again, on every pool.

Kombu's transport for Redis counts the calls that have it look, and goes to Redis at every tenth. Where Celery has an
event loop, there is one in ten seconds, and a message may be away for a hundred more than it has to. Where there is
none, it is called when it has waited in vain for a message, and then mostly not: what ends the waiting is Redis, which
says that there is none.
"""

from __future__ import annotations

from typing import Any

from celery import bootsteps

#: Seconds between two calls.
_INTERVAL = 1.0


class Restoring(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """A part of the consumer that has the transport look, by the worker's timer."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, _consumer: Any, **_: Any) -> None:
        self._entry: Any = None

    def start(self, c: Any) -> None:
        """Begin to look; does nothing for other transports."""
        restore = getattr(getattr(c.connection.transport, "cycle", None), "maybe_restore_messages", None)
        if restore is not None:
            self._entry = c.timer.call_repeatedly(_INTERVAL, restore)

    def stop(self, c: Any) -> None:
        """Look no more: the connection is closed."""
        if self._entry is not None:
            c.timer.cancel(self._entry)
            self._entry = None
