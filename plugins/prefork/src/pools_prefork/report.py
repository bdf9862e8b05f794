"""What ``pool.info`` and ``pool.stats`` say of children."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from pools_prefork.memory import resident

if TYPE_CHECKING:
    from pools_prefork.pool import PreforkPool


def info(pool: PreforkPool) -> dict[str, Any]:
    """The children: their pids, states, jobs, memory in KiB and age in seconds."""
    crew = pool.crew
    if crew is None:
        return {"start_method": pool.options.start_method, "children": []}
    now = monotonic()
    running = {job.slot_id: job for job in pool.ledger.running()}
    children = []
    for child, link in list(crew.links.items()):
        process = crew.processes.get(child)
        job = running.get(child.number)
        children.append(
            {
                "child": child.number,
                "pid": None if process is None else process.pid,
                "state": child.state.value,
                "job": None if job is None else job.id,
                "job_seconds": None if job is None or job.accepted_at is None else round(now - job.accepted_at, 6),
                "jobs_sent": len(child.hand),
                "jobs_done": child.done,
                "memory": 0 if process is None else resident(process.pid),
                "age": round(now - child.started_at, 6),
                "bytes_in": link.bytes_in,
                "bytes_out": link.bytes_out,
            }
        )
    return {"start_method": crew.nurseries.start_method, "children": children}


def stats(pool: PreforkPool) -> dict[str, Any]:
    """How many children were replaced, by the reason; and the bytes of all of them."""
    crew = pool.crew
    if crew is None:
        return {"restarts": {}, "bytes_in": 0, "bytes_out": 0}
    return {
        "restarts": dict(crew.restarts),
        "bytes_in": crew.bytes_in + sum(link.bytes_in for link in list(crew.links.values())),
        "bytes_out": crew.bytes_out + sum(link.bytes_out for link in list(crew.links.values())),
    }
