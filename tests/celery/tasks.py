"""The tasks of the tests' workers; the broker and the result backend come from the environment."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery, signals
from celery.exceptions import SoftTimeLimitExceeded

from examples.shop import files

app = Celery("tests.celery.tasks", broker=os.environ.get("TESTS_BROKER"), backend=os.environ.get("TESTS_BACKEND"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3, "polling_interval": 0.1},
    result_expires=600,
    worker_pool_restarts=True,
    # A machine may be busy, and a child a fresh interpreter.
    worker_proc_alive_timeout=60.0,
    worker_cancel_long_running_tasks_on_connection_loss=False,
)
if pool := os.environ.get("TESTS_WORKER_POOL"):
    app.conf.update(worker_pool=pool, worker_concurrency=7)
if heartbeat := os.environ.get("TESTS_HEARTBEAT"):
    app.conf.broker_heartbeat = float(heartbeat)
if folder := os.environ.get("TESTS_FOLDER"):
    app.conf.broker_transport_options = files.options(Path(folder))


@signals.worker_process_init.connect
def _note_start(**_: Any) -> None:
    note(f"init {os.getpid()}")


@signals.worker_process_shutdown.connect
def _note_end(**_: Any) -> None:
    note(f"shutdown {os.getpid()}")


@signals.task_failure.connect
def _note_failure(task_id: str, **_: Any) -> None:
    note(f"failure {task_id}")


def note(line: str) -> None:
    """Write a line that begins with its kind, for :meth:`tests.celery.lab.Lab.noted`."""
    if path := os.environ.get("TESTS_NOTES"):
        with open(path, "a") as file:  # noqa: PTH123  # one write of a short line is not torn apart
            file.write(f"{line}\n")


@app.task
def add(x: int, y: int) -> int:
    """Give the sum."""
    return x + y


@app.task
def echo(value: Any) -> Any:
    """Give back what came."""
    return value


@app.task
def sleep(seconds: float) -> float:
    """Wait."""
    time.sleep(seconds)
    return seconds


@app.task(acks_late=True)
def sleep_late(seconds: float) -> float:
    """Sleep, and be acknowledged thereafter."""
    time.sleep(seconds)
    return seconds


@app.task
def spin(seconds: float) -> float:
    """Compute."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return seconds


@app.task
def hold(gate: str, computes: bool = False, every: float = 0.02) -> str:
    """Wait, or compute, until the gate is opened; beside it is a line for each task that began."""
    mark(f"{gate}.begun")
    while os.path.exists(gate):  # noqa: PTH110
        if not computes:
            time.sleep(every)
    return "let go"


@app.task
def clean_up(seconds: float) -> str:
    """Wait in short steps; catch the soft limit."""
    try:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.01)
    except SoftTimeLimitExceeded:
        return "cleaned up"
    return "complete"


@app.task(acks_late=True)
def late(seconds: float, begun: str) -> float:
    """Leave a sign, and wait; acknowledged at the end."""
    mark(begun)
    time.sleep(seconds)
    return seconds


@app.task(acks_late=True, reject_on_worker_lost=True)
def die_once(path: str) -> str:
    """Kill the process, the first time."""
    if not os.path.exists(path):  # noqa: PTH110  # as simple as tasks are
        with open(path, "w"):  # noqa: PTH123
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    return "second time"


@app.task
def exit_by(how: str) -> None:
    """Leave in a way that no task should."""
    if how == "sys.exit":
        sys.exit(3)
    elif how == "os._exit":
        os._exit(3)
    os.kill(os.getpid(), getattr(signal, how))


@app.task
def pid() -> int:
    """Give the process."""
    return os.getpid()


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def retry_twice(self: Any) -> int:
    """Fail twice, and then give the number of retries."""
    if self.request.retries < 2:
        raise self.retry(exc=ValueError("not yet"))
    return int(self.request.retries)


@app.task
def at() -> float:
    """Give the time."""
    return time.time()


@app.task
def mark(path: str) -> None:
    """Leave a sign that it ran."""
    with open(path, "a") as file:  # noqa: PTH123
        file.write("ran\n")


@app.task
def fill_memory(mebibytes: int) -> int:
    """Take memory and keep it; give the process."""
    _kept.append(b"x" * (mebibytes << 20))
    return os.getpid()


_kept: list[bytes] = []
