"""Pools as a third party writes them, in about twenty lines each: one of each shape that the base class is made for."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pools import BasePool, Job
from pools.spec import Traits


def while_there(path: Path) -> None:
    """A job that runs, wherever it does, for as long as this file is there."""
    while path.exists():
        time.sleep(0.002)


class ThreadPerJob(BasePool):
    """A thread for each job."""

    name = "thread-per-job"
    traits = Traits(context=True, resize=True)

    def on_start(self) -> None:
        self.threads: set[threading.Thread] = set()

    def on_apply(self, job: Job) -> None:
        thread = threading.Thread(target=self.run_job, args=(job,))
        self.threads.add(thread)
        thread.start()

    def run_job(self, job: Job) -> None:
        job.run()
        self.threads.discard(threading.current_thread())

    def on_stop(self) -> None:
        for thread in self.threads.copy():
            thread.join()


class OnExecutor(BasePool):
    """Jobs run on an executor of the standard library."""

    name = "on-executor"
    traits = Traits(context=True, initializer=True, max_concurrency=8)

    def on_start(self) -> None:
        self.executor = ThreadPoolExecutor(self.concurrency, initializer=self.initialize)

    def on_apply(self, job: Job) -> None:
        self.executor.submit(job.run)

    def on_stop(self) -> None:
        self.executor.shutdown()


#: What a process of :class:`Elsewhere` runs: a call comes in, and how it ended goes out.
_ELSEWHERE = """
import pickle, sys
target, args, kwargs = pickle.load(sys.stdin.buffer)
try:
    outcome = target(*args, **kwargs), None
except Exception as error:
    outcome = None, error
pickle.dump(outcome, sys.stdout.buffer)
"""


class Elsewhere(BasePool):
    """Each job runs in a Python of its own, and is told what became of it there."""

    name = "elsewhere"

    def on_apply(self, job: Job) -> None:
        threading.Thread(target=self.watch, args=(job, pickle.dumps((job.target, job.args, dict(job.kwargs))))).start()

    def watch(self, job: Job, call: bytes) -> None:
        job.accept()
        python = subprocess.run([sys.executable, "-c", _ELSEWHERE], input=call, capture_output=True, check=False)
        if python.returncode:
            job.fail(OSError(f"python ended with exit code {python.returncode}"))
            return
        value, error = pickle.loads(python.stdout)
        if error is None:
            job.succeed(value)
        else:
            job.fail(error)
