"""Execution pools behind one interface: each pool a plugin, the same semantics in every host.

The names below are imported at their first use, so that ``import pools`` loads nothing that a patch must precede.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pools import errors, signals
    from pools.current import current_job, shield
    from pools.executor import PoolExecutor
    from pools.foreign import wrap
    from pools.job import Job
    from pools.pool import BasePool
    from pools.registry import names, open, patch
    from pools.registry import spec as spec

    __version__: str

#: Which module has each public name; some are modules, and ``pools.spec`` is one that can be called.
_HOMES = {
    "BasePool": "pools.pool",
    "Job": "pools.job",
    "PoolExecutor": "pools.executor",
    "current_job": "pools.current",
    "errors": "pools.errors",
    "names": "pools.registry",
    "open": "pools.registry",
    "patch": "pools.registry",
    "shield": "pools.current",
    "signals": "pools.signals",
    "spec": "pools.spec",
    "wrap": "pools.foreign",
}

__all__ = [
    "BasePool",
    "Job",
    "PoolExecutor",
    "current_job",
    "errors",
    "names",
    "open",
    "patch",
    "shield",
    "signals",
    "spec",
    "wrap",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("pools-core")
    elif name in _HOMES:
        from importlib import import_module

        home = import_module(_HOMES[name])
        value = home if home.__name__ == f"pools.{name}" else getattr(home, name)
    else:
        raise AttributeError(f"module 'pools' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
