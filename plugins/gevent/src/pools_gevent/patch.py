"""The patch of the gevent pool: gevent's own ``monkey.patch_all()``."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pools.errors import ConfigError
from pools_gevent.plugin import REPLACES

_YES = frozenset({"", "y", "yes", "1", "true", "on"})
_NO = frozenset({"n", "no", "0", "false", "off"})


def apply(options: Mapping[str, str]) -> None:
    """Patch the standard library.

    Args:
        options: ``thread``: ``"N"`` leaves the threading module as it is, so that a thread stays a thread.

    Raises:
        ConfigError: The option is neither yes nor no.
    """
    thread = options.get("thread", "").lower()
    if thread not in _YES | _NO:
        raise ConfigError(f"GEVENT_PATCHTHREAD={options['thread']}: neither Y nor N")
    from gevent import monkey

    monkey.patch_all(thread=thread in _YES)


def is_applied() -> bool:
    """Whether gevent has patched sockets, through :func:`apply` or otherwise."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


def is_begun() -> bool:
    """Whether gevent has patched anything."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and any(map(monkey.is_module_patched, REPLACES))
