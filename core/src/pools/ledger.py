"""The ledger of a pool: who may give a job its outcome.

Points 1 and 2 of the contract (one outcome; accepted first) hold by construction. A job stands in at most one of the
two books below, and whoever takes it out of a book, which one atomic dictionary operation does, is the only one who
may move it on: from ``waiting`` to acceptance or to an outcome, from ``accepted`` to an outcome. Nobody needs a lock,
so the same code is right for threads, for greenlets and for a signal handler that interrupts any of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools.job import Job


class Ledger:
    """The jobs of one pool that have no outcome yet, and those that have one and still run.

    Attributes:
        waiting: Jobs taken that no slot has accepted, in the order of their arrival.
        accepted: Jobs that run.
        strays: Jobs that have their outcome (a limit passed, or they were terminated) and still hold a slot or a
            thread.
    """

    __slots__ = ("accepted", "accepting", "requests", "settling", "strays", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Job, bool] = {}
        self.accepted: dict[Job, bool] = {}
        self.strays: dict[Job, bool] = {}
        #: By slot, a job whose accept callback is being called: neither waiting any more nor accepted yet.
        self.accepting: dict[int, Job] = {}
        #: By job, the request to end it that its slot has not seen.
        self.requests: dict[Job, object] = {}
        #: By whoever is at it, a job whose outcome is being delivered by someone other than its slot.
        self.settling: dict[object, Job] = {}

    def running(self) -> list[Job]:
        """The jobs that were accepted and have no outcome yet."""
        # In this order a job that moves on meanwhile is seen twice rather than missed.
        return list({**dict.fromkeys(self.accepting.copy().values()), **self.accepted.copy()})

    def leave(self, job: Job) -> None:
        """Note that a job's call has ended, or is not made, although it had its outcome before."""
        job.ended = True
        self.strays.pop(job, None)

    def unfinished(self) -> bool:
        """Whether any job is without its outcome, or has one that is being delivered by someone beside its slot."""
        return bool(self.waiting or self.accepting or self.accepted or self.settling)

    def in_slot(self, slot_id: int) -> Job | None:
        """The job that the slot has accepted, or None."""
        for job in self.running():
            if job.slot_id == slot_id:
                return job
        return None
