"""The declaration of the pool, which is read before the standard library is patched: it imports declarations alone."""

from pools.hooks import hookimpl
from pools.spec import PoolSpec
from pools_gevent.plugin import SPEC as GEVENT

SPEC = PoolSpec(
    name="yourpool",
    pool="pools_yourpool.pool:YourPool",
    summary="Jobs run on greenlets of gevent.",
    # Promises: what is not among them is refused, with UnsupportedError, before the pool hears of it.
    traits=GEVENT.traits,
    patches=GEVENT.patches,
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
