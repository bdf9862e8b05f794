"""The patch of the eventlet pool: eventlet's own ``monkey_patch()``."""

from __future__ import annotations

import atexit
import math
import signal
import sys
from collections.abc import Mapping

from pools.errors import ConfigError

#: What eventlet patches by itself, as ``monkey_patch()`` calls it.
PARTS = ("MySQLdb", "builtins", "os", "psycopg", "select", "socket", "subprocess", "thread", "time")


def apply(options: Mapping[str, str]) -> None:
    """Patch the standard library.

    Args:
        options: ``noblock``: the seconds for which code may hold the hub of this thread; longer, and eventlet's
            blocking detection raises ``RuntimeError`` in it, by ``SIGALRM``.

    Raises:
        ConfigError: The option is not a number of seconds.
    """
    seconds = _seconds(options.get("noblock", ""))
    from pools_eventlet.library import debug, eventlet

    eventlet.monkey_patch()
    if seconds is not None:
        debug.hub_blocking_detection(True, seconds)
        # The hub sets the alarm before it goes on with the main greenlet, and the end of that is no blocking.
        atexit.register(signal.setitimer, signal.ITIMER_REAL, 0)


def is_applied() -> bool:
    """Whether eventlet has patched sockets, through :func:`apply` or otherwise."""
    patcher = sys.modules.get("eventlet.patcher")
    return patcher is not None and bool(patcher.is_monkey_patched("socket"))


def is_begun() -> bool:
    """Whether eventlet has patched anything."""
    patcher = sys.modules.get("eventlet.patcher")
    return patcher is not None and any(map(patcher.is_monkey_patched, PARTS))


def _seconds(noblock: str) -> float | None:
    if not noblock:
        return None
    try:
        seconds = float(noblock)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigError(f"EVENTLET_NOBLOCK={noblock}: not a positive number of seconds")
    return seconds
