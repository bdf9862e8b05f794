"""The threads pool: a slot is a thread."""

from __future__ import annotations

import threading
from time import monotonic
from typing import Any

from pools.call import enter
from pools.job import Job
from pools.limits import stack_of
from pools.pool import BasePool
from pools_threads.plugin import SPEC
from pools_threads.worker import Worker, soft_limit

#: Seconds for which a pool that stops waits for its threads, which have nothing to do any more, to end.
JOIN_SECONDS = 1.0


class ThreadsPool(BasePool):
    """Jobs run on threads, which are started when first needed and used again.

    A soft limit is an asynchronous exception: Python code meets it at once, a call into C when it returns. A job past
    its hard limit, or terminated, is asked to stop in the same way and abandoned: it has its outcome, its slot is
    replaced at once, and its thread is among the ``strays`` of ``info`` until it ends.
    """

    name = SPEC.name
    traits = SPEC.traits

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        #: By slot, until their threads end.
        self._workers: dict[int, Worker] = {}
        #: What is raised in a job on account of its soft limit.
        self.soft_limit = soft_limit(self.options.soft_error)

    def on_start(self) -> None:
        self._ending = False

    def on_apply(self, job: Job) -> None:
        worker = self._workers.get(job.slot_id)
        if worker is None:
            worker = self._workers[job.slot_id] = Worker(self, job.slot_id)
        worker.begin(job)
        if self._ending:
            # The pool was terminated meanwhile, and may have looked for its workers before this one was there.
            worker.retire()

    def on_stop(self) -> None:
        self._ending = True
        here = threading.current_thread()
        workers = [worker for worker in list(self._workers.values()) if not worker.abandoned]
        for worker in workers:
            worker.retire()
        workers = [worker for worker in workers if worker.thread is not here]
        # All of them are idle after stop(); after terminate() one may be busy with a callback, for which nobody waits.
        give_up_at = monotonic() + JOIN_SECONDS
        for worker in workers:
            worker.thread.join(max(0.0, give_up_at - monotonic()))

    def on_slots_gone(self, slot_ids: list[int]) -> None:
        for slot_id in slot_ids:
            if slot_id in self._workers:
                self._workers[slot_id].retire()

    def in_slot(self) -> bool:
        return threading.current_thread() in [worker.thread for worker in list(self._workers.values())]

    def watch_limits(self, job: Job, now: float) -> None:
        super().watch_limits(job, now)
        self._workers[job.slot_id].admit(job)

    def raise_soft_limit(self, job: Job) -> None:
        self._workers[job.slot_id].raise_soft_limit(job)

    def stop_job(self, job: Job, signal: int | str | None) -> bool:
        worker = self._workers.get(job.slot_id)
        if worker is not None and worker.abandon(job):
            self.slots.replace()
            self.dispatch()
        return False

    def stack_of(self, job: Job) -> str:
        return stack_of(self._workers[job.slot_id].frame(), enter.__code__)

    def on_ended(self, job: Job) -> None:
        self._workers[job.slot_id].call_off(job)

    def on_shield(self, job: Job) -> None:
        self._workers[job.slot_id].defer(job)

    def forget(self, worker: Worker) -> None:
        """A worker's thread ends."""
        del self._workers[worker.slot_id]
