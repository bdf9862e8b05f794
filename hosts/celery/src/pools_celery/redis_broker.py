"""What workers need of kombu's transport for Redis, on every pool.

Messages of workers that died: the transport keeps those itself, counts the calls that have it look for them, and goes
to Redis at every tenth. Where Celery has an event loop, there is one in ten seconds, and a message may be away for a
hundred more than it has to. Where there is none, it is called when it has waited in vain for a message, and then mostly
not: what ends the waiting is Redis, which says that there is none.

Waiting: where there is no event loop, it has to be told when there may be more; see :mod:`pools_celery.redis_wake`.

Clients: it makes one for each message that it keeps, and another one when the message is acknowledged. Each begins with
a table of its own of all commands, for the sake of one transaction.
"""

from __future__ import annotations

import functools
from typing import Any

from celery import bootsteps

from pools_celery.redis_wake import Wake

#: Seconds between two looks for messages.
_INTERVAL = 1.0
#: How many clients a channel keeps: one for each of its pools of connections, of which it has two.
_CLIENTS = 2


class RedisBroker(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """A part of the consumer that sees to it, for one connection after another; on other transports, nothing."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, _consumer: Any, **_: Any) -> None:
        self._entry: Any = None
        self._wake: Wake | None = None

    def start(self, c: Any) -> None:
        """Begin, with a new connection."""
        cycle: Any = getattr(c.connection.transport, "cycle", None)
        if not hasattr(cycle, "maybe_restore_messages"):
            return
        channel = c.task_consumer.channel
        # A client is its pool of connections and that table: it may be used again, and by several threads.
        channel.Client = functools.lru_cache(_CLIENTS)(channel.Client)
        self._entry = c.timer.call_repeatedly(_INTERVAL, cycle.maybe_restore_messages)
        if c.hub is None:
            self._wake = Wake(cycle, channel.qos)

    def stop(self, c: Any) -> None:
        """End: the connection is closed."""
        if self._entry is not None:
            c.timer.cancel(self._entry)
            self._entry = None
        if self._wake is not None:
            self._wake.close()
            self._wake = None
