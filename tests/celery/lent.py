"""A third party's pool, of the few lines that one takes: without limits, and nothing in it can be ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pools
from pools.spec import Traits


class Pool(pools.BasePool):
    """Jobs run on the threads of an executor."""

    name = "lent"
    traits = Traits(context=True)

    def on_start(self) -> None:
        self.executor = ThreadPoolExecutor(self.concurrency)

    def on_apply(self, job: pools.Job) -> None:
        self.executor.submit(job.run)

    def on_stop(self) -> None:
        self.executor.shutdown()
