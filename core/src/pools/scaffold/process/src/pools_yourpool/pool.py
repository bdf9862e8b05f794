"""The pool."""

import contextlib
import multiprocessing
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
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
    except Exception as error:  # noqa: BLE001  # whatever the job raises is its outcome
        answer.send((None, error))


class YourPool(BasePool):
    """Each job runs in a process of its own; a thread waits for what that tells."""

    name = SPEC.name
    traits = SPEC.traits

    def on_start(self) -> None:
        self.threads: set[threading.Thread] = set()
        self.processes: set[BaseProcess] = set()

    def on_apply(self, job: Job) -> None:
        thread = threading.Thread(target=self.follow, args=(job,))
        self.threads.add(thread)
        thread.start()

    def follow(self, job: Job) -> None:
        """See a job through, from its beginning to its outcome."""
        if job.accept():
            value, error = self.call(job)
            if error is None:
                job.succeed(value)
            else:
                job.fail(error, JobState.LOST if isinstance(error, WorkerLostError) else JobState.FAILED)
        else:
            job.succeed(None)  # it was cancelled, and has its outcome: this frees its slot
        self.threads.discard(threading.current_thread())

    def call(self, job: Job) -> tuple[Any, BaseException | None]:
        """Have a process make the call of a job; returns the value, or what went wrong."""
        answer, theirs = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=work, args=(theirs, job.target, job.args, dict(job.kwargs)))
        with answer:
            try:
                with theirs:
                    process.start()
            except Exception as error:  # noqa: BLE001  # the call does not pickle
                return None, error
            self.processes.add(process)
            if self.terminating:
                process.kill()
            try:
                outcome: tuple[Any, BaseException | None] = answer.recv()
            except EOFError:
                process.join()
                outcome = None, WorkerLostError(f"its process ended with exit code {process.exitcode}")
            except Exception as error:  # noqa: BLE001  # what it told does not unpickle
                outcome = None, error
        self.processes.discard(process)
        process.join()
        process.close()
        return outcome

    def on_stop(self) -> None:
        # Those that are left are of jobs that were terminated, with their pool.
        for process in self.processes.copy():
            with contextlib.suppress(ValueError):  # it has ended meanwhile
                process.kill()
        for thread in self.threads - {threading.current_thread()}:
            thread.join()
