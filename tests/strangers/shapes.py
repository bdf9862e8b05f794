"""Pools as outsiders write them, in the three shapes, from what docs/authors.md says and from nothing else."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from queue import SimpleQueue

from pools import BasePool, Job
from pools.errors import WorkerLostError
from pools.spec import Traits
from pools.states import JobState

device = threading.local()


class GpuQueue(BasePool):
    """Four devices, each with a thread that feeds it."""

    name = "gpu-queue"
    traits = Traits(context=True, initializer=True, max_concurrency=4)

    def on_start(self) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        numbers = range(self.concurrency)
        self.feeders = [threading.Thread(target=self.feed, args=(number,), daemon=True) for number in numbers]
        for feeder in self.feeders:
            feeder.start()

    def feed(self, number: int) -> None:
        """Run jobs on a device, as they come."""
        device.number = number
        self.initialize()
        while job := self.jobs.get():
            job.run()
            del job  # a feeder that waits keeps nothing of the last one

    def on_apply(self, job: Job) -> None:
        self.jobs.put(job)

    def on_stop(self) -> None:
        for _ in self.feeders:
            self.jobs.put(None)
        for feeder in [] if self.terminating else self.feeders:
            feeder.join()


#: What the command of a job runs: a call comes in, and how it ended goes out.
COMMAND = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
try:
    target, args, kwargs = pickle.load(sys.stdin.buffer)
    ended = pickle.dumps((target(*args, **kwargs), None))
except Exception as error:
    ended = pickle.dumps((None, error))
sys.stdout.buffer.write(ended)
"""


class Commands(BasePool):
    """A command for each job."""

    name = "commands"
    traits = Traits(resize=True)

    def on_apply(self, job: Job) -> None:
        call = pickle.dumps(sys.path) + pickle.dumps((job.target, job.args, dict(job.kwargs)))
        threading.Thread(target=self.follow, args=(job, call)).start()

    def follow(self, job: Job, call: bytes) -> None:
        """Report what becomes of the command."""
        if not job.accept():
            job.succeed(None)
            return
        command = subprocess.run([sys.executable, "-c", COMMAND], input=call, capture_output=True, check=False)
        try:
            value, error = pickle.loads(command.stdout)
        except Exception:
            lost = WorkerLostError(f"the command ended with exit code {command.returncode}: {command.stderr!r}")
            job.fail(lost, JobState.LOST)
            return
        if error is None:
            job.succeed(value)
        else:
            job.fail(error)
