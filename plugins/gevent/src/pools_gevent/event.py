"""An event of the gevent pool: gevent's own is for threads with a hub that has something else to wait for."""

from __future__ import annotations

from collections.abc import Callable

from gevent import monkey
from gevent.hub import Hub
from greenlet import getcurrent

from pools.green_event import GreenEvent
from pools_gevent.calls import HubCalls, calls_of_hub


class Event(GreenEvent):
    """See :class:`pools.green_event.GreenEvent`.

    Args:
        on_hub_thread: Returns whether the calling code runs on the thread of the pool's hub.
    """

    new_lock = staticmethod(monkey.get_original("_thread", "allocate_lock"))

    def __init__(self, on_hub_thread: Callable[[], bool]) -> None:
        super().__init__()
        self._on_hub_thread = on_hub_thread

    def calls_here(self) -> HubCalls | None:
        """See :meth:`GreenEvent.calls_here`."""
        return calls_of_hub() if self._on_hub_thread() or isinstance(getcurrent().parent, Hub) else None
