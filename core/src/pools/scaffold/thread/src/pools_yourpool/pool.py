"""The pool."""

from concurrent.futures import ThreadPoolExecutor

from pools import BasePool, Job

from pools_yourpool.plugin import SPEC


class YourPool(BasePool):
    """Jobs run on threads of an executor."""

    name = SPEC.name
    traits = SPEC.traits

    def on_start(self) -> None:
        self.executor = ThreadPoolExecutor(self.concurrency, initializer=self.initialize)

    def on_apply(self, job: Job) -> None:
        self.executor.submit(job.run)

    def on_stop(self) -> None:
        # A pool that is terminated waits for no job.
        self.executor.shutdown(wait=not self.terminating)
