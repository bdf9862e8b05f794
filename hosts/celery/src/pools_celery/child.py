"""What a child process of a worker does before its first task, and after its last one."""

from __future__ import annotations

import os
from typing import Any

import celery._state
from celery import platforms, signals
from celery.app import base, trace
from celery.worker import state

#: The worker whose child this process is, by its node name.
_worker: list[str] = []


def initialize(app: Any, hostname: str, fresh: bool) -> None:
    """Become a process of the worker: its application, tasks, logging.

    Args:
        app: The application.
        hostname: The worker's node name.
        fresh: Whether this is a fresh interpreter, and no fork of the worker.
    """
    celery._state._set_task_join_will_block(True)
    platforms.set_mp_process_title("celeryd", hostname=hostname)
    if fresh:
        # Both before any task is imported: they say how tasks come to their application.
        os.environ["FORKED_BY_MULTIPROCESSING"] = "1"
        base.USING_EXECV = True
    app.loader.init_worker()
    app.loader.init_worker_process()
    _set_up_logging(app, hostname)
    if fresh:
        trace.setup_worker_optimizations(app, hostname)
    else:
        app.set_current()
        app.set_default()
        app.finalize()
    for name, task in app.tasks.items():
        task.__trace__ = trace.build_tracer(name, task, app.loader, hostname, app=app)
    state.reset_state()
    _worker[:] = [hostname]
    signals.worker_process_init.send(sender=hostname)


def leave() -> None:
    """Tell the tasks that the process exits, if it is a child of a worker."""
    for hostname in _worker:
        signals.worker_process_shutdown.send(sender=hostname, pid=os.getpid(), exitcode=0)


def _set_up_logging(app: Any, hostname: str) -> None:
    file = os.environ.get("CELERY_LOG_FILE") or None
    if file and "%i" in file.lower():  # a file for each process
        app.log.already_setup = False
    app.log.setup(
        int(os.environ.get("CELERY_LOG_LEVEL", 0) or 0),
        file,
        bool(os.environ.get("CELERY_LOG_REDIRECT", False)),
        str(os.environ.get("CELERY_LOG_REDIRECT_LEVEL")),
        hostname=hostname,
    )
