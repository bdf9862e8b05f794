"""The declaration of the threads pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import PoolSpec, Traits

SPEC = PoolSpec(
    name="threads",
    pool="pools_threads.pool:ThreadsPool",
    summary="Jobs run on threads: for blocking calls, and for C code that releases the interpreter's lock.",
    traits=Traits(
        signal_safe=True,
        soft_timeout=True,
        hard_timeout="abandon",
        terminate=True,
        resize=True,
        context=True,
        initializer=True,
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
