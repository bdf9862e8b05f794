"""The declaration of the eventlet pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import Option, PatchRequirement, PoolSpec, Traits

#: The modules of which ``eventlet.monkey_patch()`` replaces parts (its green modules name them in ``__patched__``).
REPLACES = (
    "_thread",
    "os",
    "queue",
    "select",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
)

SPEC = PoolSpec(
    name="eventlet",
    pool="pools_eventlet.pool:EventletPool",
    summary="Jobs run on eventlet's greenlets: as gevent, for programs that use eventlet (which gets bug fixes only).",
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
            name="eventlet",
            module="pools_eventlet.patch",
            audit="pools_eventlet.audit",
            replaces=REPLACES,
            before=("ssl",),
            conflicts=("gevent",),
            options=(
                Option(
                    "noblock",
                    "seconds for which code may hold the hub before eventlet's blocking detection raises in it",
                    env="EVENTLET_NOBLOCK",
                ),
            ),
        ),
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
