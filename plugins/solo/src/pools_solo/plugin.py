"""The declaration of the solo pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import PoolSpec, Traits

SPEC = PoolSpec(
    name="solo",
    pool="pools_solo.pool:SoloPool",
    summary="Jobs run inline, where they are submitted: for debugging, and where one thing at a time is right.",
    traits=Traits(
        soft_timeout=True,
        hard_timeout="interrupt",
        context=True,
        initializer=True,
        max_concurrency=1,
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
