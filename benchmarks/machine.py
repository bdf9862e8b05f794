"""Where the figures come from: the machine and the versions, as far as they matter to a reader."""

from __future__ import annotations

import importlib.metadata
import platform

from pools.stats import processors

DISTRIBUTIONS = (
    "pools-core",
    "gevent",
    "eventlet",
    "greenlet",
    "celery",
    "kombu",
    "billiard",
    "loky",
    "pebble",
    "mpire",
    "numpy",
)


def facts() -> dict[str, str]:
    """Return what a reader needs to judge the figures, by name."""
    found = {
        "processors": str(processors()),
        "machine": platform.machine(),
        "system": platform.system(),
        platform.python_implementation(): platform.python_version(),
    }
    for distribution in DISTRIBUTIONS:
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            found[distribution] = "not installed"
    return found
