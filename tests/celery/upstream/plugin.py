"""A pytest plugin: Celery's integration tests get a worker that is a process, instead of one in a thread."""

from __future__ import annotations

import logging
import os
import pickle
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery import _state
from celery.utils.nodenames import anon_nodename


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have those come first that expect nobody else to subscribe to results: tasks in children do, for good."""
    items.sort(key=lambda item: not item.name.startswith("test_pubsub"))


def pytest_runtest_setup() -> None:
    """Forget what tests leave that make a worker in this process: the thread of a worker would have it so as well."""
    _state._set_task_join_will_block(False)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any) -> None:
    """Replace the worker of the session; what the fixture asks for beside it stays as it is."""
    if fixturedef.argname == "celery_session_worker":
        fixturedef.func = _worker


def _worker(celery_session_app: Any, celery_includes: Any, celery_class_tasks: Any, **_: object) -> Iterator[Any]:
    for module in celery_includes:
        celery_session_app.loader.import_task_module(module)
    for task in celery_class_tasks:
        celery_session_app.register_task(task)
    with _LogServer(("127.0.0.1", 0), _Records) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = ["celery"] if os.environ["UPSTREAM_CELERYS"] else ["pools", "worker"]
        options = ["-A", "tests.celery.upstream.worker_app", *(["worker"] if command == ["celery"] else [])]
        options += ["-P", os.environ["UPSTREAM_POOL"], "-c", "4" if os.environ["UPSTREAM_POOL"] != "solo" else "1"]
        # The name that a worker in a thread would have, by which tests look for it.
        options += ["-n", anon_nodename()]
        environment = {**os.environ, "UPSTREAM_LOG_PORT": str(server.server_address[1])}
        worker = subprocess.Popen(
            [sys.executable, "-m", *command, *options, "-l", "INFO"], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            _wait_for(celery_session_app, worker)
            yield worker
        finally:
            worker.terminate()
            worker.wait(30)
            server.shutdown()


def _wait_for(app: Any, worker: subprocess.Popen[bytes]) -> None:
    for _ in range(60):
        if app.control.inspect(timeout=1.0).ping():
            return
        if worker.poll() is not None:
            break
    pytest.exit(f"the worker did not come up: {worker.poll()}")


class _LogServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Records(socketserver.StreamRequestHandler):
    """Has what the worker logs logged here, as tests look for it among what a worker in a thread would have logged."""

    def handle(self) -> None:
        while True:
            try:
                record = logging.makeLogRecord(pickle.load(self.rfile))
            except (EOFError, ConnectionError):
                return
            logging.getLogger(record.name).handle(record)
