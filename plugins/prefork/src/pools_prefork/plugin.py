"""The declaration of the prefork pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import Option, PoolSpec, Traits

SPEC = PoolSpec(
    name="prefork",
    pool="pools_prefork.pool:PreforkPool",
    summary="Jobs run in child processes: isolated from each other, on all processors.",
    aliases=("processes",),
    traits=Traits(
        soft_timeout=True,
        hard_timeout="kill",
        terminate=True,
        resize=True,
        initializer=True,
    ),
    options=(
        Option("start_method", 'How children start: "fork", "forkserver" or "spawn"; by default what is safe here'),
        Option("max_tasks_per_child", "After how many jobs a child is replaced"),
        Option("max_memory_per_child", "Above how much memory, in KiB, a child is replaced after its job"),
        Option("hard_memory_per_child", "Above how much memory, in KiB, a child is killed during its job"),
        Option("max_age_per_child", "After how many seconds a child is replaced"),
        Option("proc_alive_timeout", "Seconds that a child has to come up", 10.0),
        Option("stall_timeout", "Seconds that an idle child has to begin a job that it was sent", 10.0),
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
