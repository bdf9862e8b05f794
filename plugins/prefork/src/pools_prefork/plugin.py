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
        Option(
            "start_method",
            "How children start; by default what is safe here",
            choices=("fork", "forkserver", "spawn"),
        ),
        Option("max_tasks_per_child", "After how many jobs a child is replaced", type="count"),
        Option(
            "max_memory_per_child", "Above how much memory, in KiB, a child is replaced after its job", type="count"
        ),
        Option(
            "hard_memory_per_child", "Above how much memory, in KiB, a child is killed during its job", type="count"
        ),
        Option("max_age_per_child", "After how many seconds a child is replaced", type="seconds"),
        Option("proc_alive_timeout", "Seconds that a child has to come up", 10.0, type="seconds"),
        Option("stall_timeout", "Seconds that an idle child has to begin a job that it was sent", 10.0, type="seconds"),
    ),
)


@hookimpl
def pools_pool() -> PoolSpec:
    """Declare the pool."""
    return SPEC
