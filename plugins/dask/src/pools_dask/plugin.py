"""The declaration of the dask pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import Option, PoolSpec

SPEC = PoolSpec(
    name="dask",
    pool="pools_dask.pool:DaskPool",
    summary="Jobs run on the workers of a Dask cluster: past one machine.",
    options=(
        Option(
            "address", "Where the cluster's scheduler is; none: a cluster on this machine", env="DASK_SCHEDULER_ADDRESS"
        ),
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
