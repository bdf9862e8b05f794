"""The declaration of the pool, which is read before the standard library is patched: it imports nothing else."""

from pools.hooks import hookimpl
from pools.spec import PoolSpec, Traits

SPEC = PoolSpec(
    name="yourpool",
    pool="pools_yourpool.pool:YourPool",
    summary="Each job runs in a process of its own.",
    # Promises: what is not among them is refused, with UnsupportedError, before the pool hears of it.
    traits=Traits(resize=True),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
