"""The application of the worker that Celery's integration tests run against: configured as theirs."""

from __future__ import annotations

import logging
import os
import pickle
import socket
from typing import Any

from celery import Celery, signals
from t.integration.tasks import ClassBasedAutoRetryTask

app = Celery("celery.tests", set_as_current=True)
app.conf.update(
    broker_url=os.environ["TEST_BROKER"],
    result_backend=os.environ["TEST_BACKEND"],
    result_extended=True,
    accept_content={"json"},
    enable_utc=True,
    timezone="UTC",
    broker_heartbeat=0,
    broker_connection_retry_on_startup=True,
    task_create_missing_queues=False,
    include=["t.integration.tasks"],
    worker_redirect_stdouts=False,
    worker_hijack_root_logger=False,
    worker_log_color=False,
)
app.register_task(ClassBasedAutoRetryTask())


class _ToTests(logging.Handler):
    """Sends records, with what tests look for in them, to the process of the tests; each process by its own line."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[int, socket.socket] = {}

    def emit(self, record: logging.LogRecord) -> None:
        line = self._lines.get(os.getpid())
        if line is None:
            line = self._lines[os.getpid()] = socket.create_connection(
                ("127.0.0.1", int(os.environ["UPSTREAM_LOG_PORT"]))
            )
        sent = {key: getattr(record, key) for key in ("name", "levelno", "levelname", "created")}
        data = getattr(record, "data", None)
        told = data if isinstance(data, dict) else {}
        sent["data"] = {key: told.get(key) for key in ("id", "name", "args", "kwargs")}
        sent["msg"] = record.msg if data is not None else record.getMessage()
        sent["args"] = told
        try:
            message = pickle.dumps(sent)
        except Exception:  # what a message is made of may be anything
            message = pickle.dumps({**sent, "args": {}, "msg": record.getMessage()})
        line.sendall(message)


@signals.after_setup_logger.connect
def _send_records(logger: logging.Logger, **_: Any) -> None:
    logger.addHandler(_ToTests())
