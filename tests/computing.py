"""A job of a green pool that computes, and a native thread that ends it."""

from __future__ import annotations

from pools import Job
from pools.green import GreenPool


def terminate_when_it_runs(job: Job) -> bool:
    """What a native thread does, which the hub cannot help meanwhile."""
    assert isinstance(job.pool, GreenPool)
    pause = job.pool.native.allocate_lock()
    pause.acquire()
    while job.accepted_at is None:
        pause.acquire(timeout=0.001)
    return job.terminate()
