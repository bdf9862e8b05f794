"""Private brokers: a redis-server or a rabbitmq-server of our own on a free port, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from redis import Redis

#: Seconds that a server has to come up; RabbitMQ takes ten on a machine that has nothing else to do.
UP_SECONDS = 90.0

_RABBIT_FOLDERS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/rabbitmq/bin"))


def missing(server: str) -> str | None:
    """Why there can be no such server on this machine, or None."""
    found = shutil.which(server, path=_RABBIT_FOLDERS)
    return None if found else f"{server} is not installed"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis; gives its URL, without a database."""
    port = free_port()
    with _folder() as folder:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        with _server(command, folder, {}, lambda: _answers(port, b"PING\r\n", b"+PONG")):
            yield f"redis://127.0.0.1:{port}"


def empty_databases(url: str, first: int) -> tuple[str, str]:
    """Two databases of a Redis, emptied of what an earlier test left: one for a broker, one for a result backend."""
    databases = f"{url}/{first}", f"{url}/{first + 1}"
    for database in databases:
        with Redis.from_url(database) as client:
            client.flushdb()
    return databases


@contextlib.contextmanager
def rabbitmq() -> Iterator[str]:
    """Run a RabbitMQ; gives its URL."""
    port, distribution = free_port(), free_port()
    with _folder() as folder:
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.default = 127.0.0.1:{port}\n")
        (folder / "enabled_plugins").write_text("[].\n")
        variables = {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"pools{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_DIST_PORT": str(distribution),
            "ERL_EPMD_PORT": str(free_port()),
            # It asks who it is run by, and wants to be root or rabbitmq.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        program = shutil.which("rabbitmq-server", path=_RABBIT_FOLDERS) or "rabbitmq-server"
        with _server([program], folder, variables, lambda: _answers(port, b"AMQP\x00\x00\x09\x01", b"\x01")):
            yield f"amqp://guest:guest@127.0.0.1:{port}//"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="pools-broker-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _server(command: list[str], folder: Path, variables: dict[str, str], is_up: Callable[[], bool]) -> Iterator[None]:
    log = folder / "output"
    with log.open("wb") as output:
        # In a session of its own, so that whatever it starts can be ended with it.
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **variables}, start_new_session=True
        )
    try:
        give_up_at = time.monotonic() + UP_SECONDS
        while not is_up():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"{command[0]} did not come up:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while left := list(_left(folder)):
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)


def _left(folder: Path) -> Iterator[int]:
    """Processes with the folder in their environment: RabbitMQ, as a user of its own, has left the session."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has ended, or is somebody's
            if os.fsencode(folder) in environment.read_bytes():
                yield int(environment.parent.name)


def _answers(port: int, question: bytes, answer: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.settimeout(5.0)
            connection.sendall(question)
            return connection.recv(64).startswith(answer)
    except OSError:
        return False
