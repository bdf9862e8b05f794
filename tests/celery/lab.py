"""A real worker as a process, and a client that sends it tasks."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery
from celery.result import AsyncResult

from examples.shop import files

#: Seconds that anything may take which happens at once on a machine that has nothing else to do.
PATIENCE = 30.0


def wait_for(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until ``condition()`` is true, and return what it gave; the last answer, if time is up before."""
    give_up_at = time.monotonic() + seconds
    while not (answer := condition()) and time.monotonic() < give_up_at:
        time.sleep(0.02)
    return answer


class Gate:
    """Holds tasks ``hold`` until it is opened.

    Args:
        folder: Where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"gate{time.monotonic_ns()}"
        self.path.touch()

    def has_begun(self, count: int, seconds: float = PATIENCE) -> bool:
        """Wait until so many tasks have come; returns whether they have."""
        begun = Path(f"{self.path}.begun")
        return bool(wait_for(lambda: begun.exists() and len(begun.read_text().splitlines()) >= count, seconds))

    def open(self) -> None:
        """Let them go."""
        self.path.unlink(missing_ok=True)


class Lab:
    """A worker and its client.

    Args:
        folder: Where its files are.
        broker: The URL of the broker.
        backend: That of the result backend.
        pool: The name of the pool.
        ours: Whether it is our pool, under ``pools worker``, or Celery's own, under ``celery worker``.
        options: Further arguments of the command.
        environment: Further variables.
        application: The module of its application.

    Attributes:
        soon: Seconds within which what happens at once has happened on this machine.
    """

    soon = 15.0

    def __init__(
        self,
        folder: Path,
        broker: str,
        backend: str,
        pool: str | None,
        *options: str,
        ours: bool = True,
        environment: dict[str, str] | None = None,
        application: str = "tests.celery.tasks",
    ) -> None:
        self.pool = pool
        self.ours = ours
        self.folder = folder
        self.notes = folder / "notes"
        self.log = folder / f"worker{time.monotonic_ns()}.log"
        self.client = Celery("client", broker=broker, backend=backend, set_as_current=False)
        self.client.conf.update(broker_connection_retry_on_startup=True, redis_socket_timeout=PATIENCE)
        self.name = f"lab{os.getpid()}.{time.monotonic_ns()}@here"
        self._environment = {
            **os.environ,
            "TESTS_BROKER": broker,
            "TESTS_BACKEND": backend,
            "TESTS_NOTES": str(self.notes),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
            **(environment or {}),
        }
        if broker.startswith(f"{files.SCHEME}:"):
            self._environment["TESTS_FOLDER"] = str(folder)
            self.client.conf.broker_transport_options = files.options(folder)
        self._options = list(options)
        self._application = application
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = ["pools", "worker", "-A", self._application]
        if not self.ours:
            command = ["celery", "-A", self._application, "worker"]
        pool = [] if self.pool is None else ["-P", self.pool]
        options = [*pool, "-n", self.name, "-l", "INFO", "--without-mingle", *self._options]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command, *options],
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[2],
            )

    def wait_until_up(self) -> Lab:
        """Wait until the worker answers; returns itself."""
        wait_for(lambda: " ready." in self.log.read_text() or self.process.poll() is not None, 2 * PATIENCE)
        assert wait_for(lambda: self.ping(1.0) or self.process.poll() is not None), self.log.read_text()
        assert self.process.poll() is None, self.log.read_text()
        return self

    def send(self, task: str, *args: Any, **options: Any) -> AsyncResult[Any]:
        """Send a task of :mod:`tests.celery.tasks`."""
        return self.client.send_task(f"tests.celery.tasks.{task}", args, **options)

    def ping(self, seconds: float) -> bool:
        """Whether the worker answers within so many seconds."""
        return bool(self._ask("ping", seconds))

    def stats(self) -> dict[str, Any]:
        """What the worker says of its pool."""
        return dict(self._ask("stats", PATIENCE)["pool"])

    def active(self) -> list[dict[str, Any]]:
        """The tasks that the worker says it runs."""
        return list(self._ask("active", PATIENCE) or [])

    def command(self, name: str, **arguments: Any) -> Any:
        """Have a remote control command done; returns the answer."""
        answers = self.client.control.broadcast(
            name, arguments=arguments, destination=[self.name], reply=True, timeout=PATIENCE, limit=1
        )
        return answers[0][self.name] if answers else None

    def _ask(self, what: str, seconds: float) -> Any:
        # By a connection of its own, which no test has cut.
        with self.client.connection_for_read() as connection:
            inspect = self.client.control.inspect([self.name], timeout=seconds, limit=1, connection=connection)
            answers = inspect._request(what)
        return (answers or {}).get(self.name)

    def wait_until_running(self, count: int) -> None:
        """Wait until the worker has begun so many tasks."""
        assert wait_for(lambda: self.started() >= count), self.log.read_text()

    def started(self) -> int:
        """How many tasks the worker runs, as far as it answers."""
        return len(self.active())

    def noted(self, kind: str) -> list[str]:
        """What the worker's signals noted of a kind, line by line."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{kind} ")]

    def signal(self, number: signal.Signals, seconds: float = PATIENCE) -> float | None:
        """Send the worker a signal; returns after how many seconds it was gone, or None if it is still there."""
        self.process.send_signal(number)
        return self.gone_within(seconds)

    def gone_within(self, seconds: float) -> float | None:
        """Wait so long for the worker's end; returns how many seconds it took, or None if it is still there."""
        began = time.monotonic()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return time.monotonic() - began

    def close(self) -> None:
        """End it all, children that a killed worker has left included."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        # Results that nobody holds unsubscribe, and do so while there is a backend still.
        gc.collect()
        self.client.close()


def children(pid: int) -> list[int]:
    """The processes below a process."""
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [process for child in map(int, found) for process in (child, *children(child))]


def is_alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
