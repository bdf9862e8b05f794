"""The declaration of the gevent pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import Option, PatchRequirement, PoolSpec, Traits

#: The modules of which ``gevent.monkey.patch_all()`` replaces parts (gevent's documentation of ``gevent.monkey``).
REPLACES = (
    "_thread",
    "_threading_local",
    "os",
    "queue",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "sys",
    "threading",
    "time",
)

SPEC = PoolSpec(
    name="gevent",
    pool="pools_gevent.pool:GeventPool",
    summary="Jobs run on gevent's greenlets: thousands of jobs that wait for sockets, on one thread.",
    traits=Traits(
        is_green=True,
        soft_timeout=True,
        hard_timeout="throw",
        terminate=True,
        resize=True,
        context=True,
        initializer=True,
    ),
    options=(
        Option("block_limit", "For how many seconds a job may hold the hub until it is reported", type="seconds"),
    ),
    patches=(
        PatchRequirement(
            name="gevent",
            module="pools_gevent.patch",
            audit="pools_gevent.audit",
            replaces=REPLACES,
            before=("ssl",),
            conflicts=("eventlet",),
            options=(
                Option("thread", "N leaves the threading module as it is", default="Y", env="GEVENT_PATCHTHREAD"),
            ),
        ),
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
