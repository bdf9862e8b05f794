"""The declaration: one more patch for the gevent pool."""

from __future__ import annotations

from pools.hooks import hookimpl
from pools.spec import PatchRequirement, PoolSpec

PATCH = PatchRequirement(name="psycogreen", module="pools_psycogreen.patch", replaces=("psycopg2",))


@hookimpl
def pools_patches(spec: PoolSpec) -> list[PatchRequirement]:
    """Add it; eventlet has the same patch in its own."""
    return [PATCH] if spec.name == "gevent" else []
