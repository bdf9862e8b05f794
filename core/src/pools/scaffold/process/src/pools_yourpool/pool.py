"""The pool."""

import multiprocessing
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from pools import BasePool, Job
from pools.errors import WorkerLostError
from pools.states import JobState
from pools_yourpool.plugin import SPEC

#: Processes come from a server of one thread: none is forked while another thread holds a lock.
FORKS = multiprocessing.get_context("forkserver")


def work(answer: Connection, target: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """What a process does: make a call, and tell what came of it."""
    try:
        answer.send((target(*args, **kwargs), None))
    except Exception as error:
        answer.send((None, error))


class YourPool(BasePool):
    """Each job runs in a process of its own; a thread waits for what it tells."""

    name = SPEC.name
    traits = SPEC.traits

    def on_start(self) -> None:
        self.threads: set[threading.Thread] = set()

    def on_apply(self, job: Job) -> None:
        thread = threading.Thread(target=self.follow, args=(job,))
        self.threads.add(thread)
        thread.start()

    def follow(self, job: Job) -> None:
        """Have a process make the call of a job, and report how it ended."""
        if job.accept():
            self.report(job)
        else:
            job.succeed(None)  # it was cancelled, and has its outcome: this frees the slot
        self.threads.discard(threading.current_thread())

    def report(self, job: Job) -> None:
        """The same, for a job that has begun."""
        answer, theirs = FORKS.Pipe(duplex=False)
        with answer:
            process = FORKS.Process(target=work, args=(theirs, job.target, job.args, dict(job.kwargs)))
            try:
                with theirs:
                    process.start()
                value, error = answer.recv()
            except EOFError:
                process.join()
                value, error = None, WorkerLostError(f"its process ended with exit code {process.exitcode}")
            except Exception as unpicklable:
                value, error = None, unpicklable
        if error is None:
            job.succeed(value)
        else:
            job.fail(error, JobState.LOST if isinstance(error, WorkerLostError) else JobState.FAILED)

    def on_stop(self) -> None:
        if not self.terminating:
            for thread in self.threads.copy():
                thread.join()
