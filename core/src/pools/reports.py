"""``pool.info`` and ``pool.stats``: JSON-friendly, and true at the moment of asking (contract, point 13)."""

from __future__ import annotations

import os
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pools.pool import BasePool


def info(pool: BasePool) -> dict[str, Any]:
    """What the pool is doing now."""
    running = [(job, job.accepted_at) for job in pool.ledger.running()]
    now = monotonic()
    options = pool.options
    return {
        "pool": pool.name,
        "implementation": f"{type(pool).__module__}:{type(pool).__qualname__}",
        "state": pool.state.value,
        "pid": os.getpid(),
        "concurrency": pool.concurrency,
        "limits": {"soft_timeout": options.soft_timeout, "timeout": options.timeout},
        "max_queued": options.queue_limit,
        "waiting": len(pool.ledger.waiting),
        "running": [
            {
                "job": job.id,
                "slot_id": job.slot_id,
                "seconds": round(now - accepted_at, 6),
                "correlation_id": job.correlation_id,
            }
            for job, accepted_at in running
            if accepted_at is not None
        ],
        "strays": len(pool.ledger.strays),
    }


def stats(pool: BasePool) -> dict[str, Any]:
    """What the pool has done since it started."""
    return {
        "pool": pool.name,
        "uptime": None if pool.started_at is None else round(monotonic() - pool.started_at, 6),
        "jobs": pool.counts.as_dict(),
        "waiting": len(pool.ledger.waiting),
        "running": len(pool.ledger.running()),
        "strays": len(pool.ledger.strays),
    }
