"""The dask pool: a slot is a thread of some worker of a cluster."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle
import dask
from distributed import Client, KilledWorker, LocalCluster

from pools.errors import UsageError
from pools.foreign.executors import ExecutorPool
from pools.job import Job
from pools.options import PoolOptions
from pools_dask.plugin import SPEC
from pools_dask.there import call, outcome


@dataclass(frozen=True, slots=True)
class DaskOptions(PoolOptions):
    """The options of the pool.

    Attributes:
        address: Where the cluster's scheduler is. None: where Dask's own configuration says, or else a cluster is
            started on this machine, with one process for each slot, which ends with the pool.
    """

    address: str | None = None


class DaskPool(ExecutorPool):
    """Jobs run on the workers of a Dask cluster, by way of its client's executor."""

    name = SPEC.name
    traits = SPEC.traits
    options_class = DaskOptions
    options: DaskOptions

    def on_start(self) -> None:
        address = self.options.address or dask.config.get("scheduler-address", None)
        self._cluster = None if address else self._new_cluster()
        self._client = Client(address or self._cluster, set_as_default=False)
        self.executor = self._client.get_executor(pure=False)
        threads = sum(self._client.nthreads().values())
        if threads < self.concurrency:
            self.on_stop()
            raise UsageError(f"the Dask cluster has {threads} threads, too few for {self.concurrency} slots")

    def on_stop(self) -> None:
        super().on_stop()
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _new_cluster(self) -> LocalCluster:
        # A job whose worker has died is not run again; and what is wrong with a job is told by its outcome.
        return LocalCluster(
            n_workers=self.concurrency,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
            scheduler_kwargs={"allowed_failures": 0},
        )

    def call_of(self, job: Job) -> Callable[[], Any]:
        # Pickled here, so that Dask takes nothing among the arguments for a part of a graph of its own.
        return functools.partial(call, cloudpickle.dumps((job.target, job.args, dict(job.kwargs))))

    def settle_done(self, job: Job, value: bytes) -> None:
        result, error = outcome(value)
        if error is None:
            job.succeed(result)
        else:
            job.fail(error)

    def loss_of(self, error: BaseException) -> str:
        return str(error) if isinstance(error, KilledWorker) else super().loss_of(error)
