"""Point 4: the life of a pool, and what is left of it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from pools import Job
from pools.states import PoolState
from tests.kit.mutants.meddling import Mutant, Options


class StopDoesNotWait(Mutant):
    name, breaks, found_by = "stop-does-not-wait", 4, "stop_finishes"

    def stop(self, timeout: float | None = None) -> None:
        self.terminate()


class StopForgetsWhatWaits(Mutant):
    name, breaks, found_by = "stop-forgets-what-waits", 4, "stop_finishes"

    def stop(self, timeout: float | None = None) -> None:
        for job in list(self.queue):
            job.cancel()
        super().stop(timeout)


class StopIgnoresItsTimeout(Mutant):
    name, breaks, found_by = "stop-ignores-its-timeout", 4, "past_its_timeout"

    def stop(self, timeout: float | None = None) -> None:
        super().stop()


class TerminateWaits(Mutant):
    name, breaks, found_by = "terminate-waits", 4, "terminate_gives"

    def terminate(self) -> None:
        super().stop()


class JoinReturnsEarly(Mutant):
    name, breaks, found_by = "join-returns-early", 4, "join_waits"

    def join(self, timeout: float | None = None) -> bool:
        return True


class JoinIgnoresItsTimeout(Mutant):
    name, breaks, found_by = "join-ignores-its-timeout", 4, "join_waits or close_takes"

    def join(self, timeout: float | None = None) -> bool:
        return super().join()


class RestartLosesJobs(Mutant):
    name, breaks, found_by = "restart-loses-jobs", 4, "restart_finishes"

    def restart(self) -> None:
        self.terminate()
        self.start()


class TakesJobsWhenStopped(Mutant):
    name, breaks, found_by = "takes-jobs-when-stopped", 4, "forbids"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        if self.state is PoolState.STOPPED:
            self.start()
        return target, options


class TakesJobsWhenClosing(Mutant):
    name, breaks, found_by = "takes-jobs-when-closing", 4, "forbids or close_takes"

    def close(self) -> None:
        """Put it off."""

    def stop(self, timeout: float | None = None) -> None:
        super().close()
        super().stop(timeout)

    def terminate(self) -> None:
        super().close()
        super().terminate()


class StartsTwice(Mutant):
    name, breaks, found_by = "starts-twice", 4, "forbids"

    def start(self) -> None:
        if self.state is not PoolState.RUNNING:
            super().start()


class HangsInStop(Mutant):
    name, breaks, found_by = "hangs-in-stop", 4, "moves_from"

    def on_stop(self) -> None:
        threading.Event().wait()


class LeavesAThread(Mutant):
    name, breaks, found_by = "leaves-a-thread", 4, "did_nothing"

    def on_start(self) -> None:
        super().on_start()
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class LeavesADescriptor(Mutant):
    name, breaks, found_by = "leaves-a-descriptor", 4, "did_nothing"

    def on_start(self) -> None:
        super().on_start()
        os.pipe()


class LeavesAChild(Mutant):
    name, breaks, found_by = "leaves-a-child", 4, "did_nothing"

    def on_start(self) -> None:
        super().on_start()
        subprocess.Popen(["sleep", "60"]).returncode = 0


class LeavesAFile(Mutant):
    name, breaks, found_by = "leaves-a-file", 4, "did_nothing"

    def on_start(self) -> None:
        super().on_start()
        os.close(tempfile.mkstemp()[0])


class LeavesItsTimer(Mutant):
    name, breaks, found_by = "leaves-its-timer", 4, "calls_nothing_later"

    def _stop_timers(self) -> None:
        self._limit_timer.stop()


class GrowsWithItsJobs(Mutant):
    name, breaks, found_by = "grows-with-its-jobs", 4, "does_not_grow"

    def __init__(self, concurrency: int | str | None = None, **options: Any) -> None:
        super().__init__(concurrency, **options)
        self.held: list[int] = []

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        self.held.append(os.open(os.devnull, os.O_RDONLY))
        return target, options

    def on_stop(self) -> None:
        super().on_stop()
        while self.held:
            os.close(self.held.pop())


class KeepsArguments(Mutant):
    name, breaks, found_by = "keeps-arguments", 4, "not_kept"
    last: Any = None

    def on_apply(self, job: Job) -> None:
        self.last = job.args
        super().on_apply(job)

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        self.kept: list[Any] = [*getattr(self, "kept", []), self.last]
        return target, options


class KeepsValues(Mutant):
    name, breaks, found_by = "keeps-values", 4, "not_kept"

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.value = target(*args, **kwargs)
            return self.value

        return call, options


EVERYTHING: list[Any] = []


class IsKept(Mutant):
    name, breaks, found_by = "is-kept", 4, "is_not_kept"

    def on_start(self) -> None:
        super().on_start()
        EVERYTHING.append(self)


class EndsTheProcess(Mutant):
    name, breaks, found_by = "ends-the-process", 4, "moves_from"

    def on_stop(self) -> None:
        os._exit(0)
