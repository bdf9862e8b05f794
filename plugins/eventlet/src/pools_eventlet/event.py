"""An event of the eventlet pool: eventlet's own is for one thread and one use, threading's is not green."""

from __future__ import annotations

from pools.green_event import GreenEvent
from pools_eventlet import calls
from pools_eventlet.library import patcher


class Event(GreenEvent):
    """See :class:`pools.green_event.GreenEvent`.

    Where a hub is, there greenlets wait in it, if it runs a pool of this kind.
    """

    new_lock = staticmethod(patcher.original("_thread").allocate_lock)

    def calls_here(self) -> calls.HubCalls | None:
        """See :meth:`GreenEvent.calls_here`."""
        return calls.calls_here()
