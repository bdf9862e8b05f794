"""Signals: what just happened in a pool, for anyone in the program who wants to know. The sender is the pool.

Every receiver is called with the pool and these keyword arguments:

========================  ==================================================================================
``started``               none; the pool runs
``preshutdown``           none; the pool is about to end its slots
``postshutdown``          none; nothing of the pool is left
``apply``                 ``job, target, args, kwargs``; a job was taken
``accepted``              ``job``; a slot has begun the job
``finished``              ``job``; the job has its outcome, in ``job.state``
``timed_out``             ``job, soft, seconds``; a limit of the job passed
``child_started``         ``child, pid``; a child process is up
``child_exited``          ``child, pid, reason``; a child process has gone
``blocked``               ``job, seconds, stack``; a job has held its thread's hub for too long
========================  ==================================================================================

What a receiver returns is ignored, and what it raises is logged. Receivers run where the event happened: in a job's
thread or greenlet, so they should be quick.
"""

from __future__ import annotations

import logging
from typing import Any

from blinker import Namespace, Signal

log = logging.getLogger(__name__)

_namespace = Namespace()

started = _namespace.signal("started")
preshutdown = _namespace.signal("preshutdown")
postshutdown = _namespace.signal("postshutdown")
apply = _namespace.signal("apply")
accepted = _namespace.signal("accepted")
finished = _namespace.signal("finished")
timed_out = _namespace.signal("timed_out")
child_started = _namespace.signal("child_started")
child_exited = _namespace.signal("child_exited")
blocked = _namespace.signal("blocked")


def emit(signal: Signal, pool: object, **event: Any) -> None:
    """Send ``signal`` from ``pool``: the only place that sends.

    blinker lets what a receiver raises propagate into the sender; here it is logged, and the next receiver called.
    Callers on a hot path test ``signal.receivers`` first, so that a signal nobody listens to costs an attribute test.
    """
    if signal.is_muted:
        return
    for receiver in signal.receivers_for(pool):
        try:
            receiver(pool, **event)
        except BaseException:
            log.exception("a receiver of signal %s raised", getattr(signal, "name", signal))
