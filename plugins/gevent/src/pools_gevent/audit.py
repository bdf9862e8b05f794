"""What the audit of the gevent patch has to know of gevent."""

from __future__ import annotations

import sys
from typing import Any

from pools.patching.extensions import Help

#: The functions by which programs patch.
CALLS = (
    "gevent.monkey:patch_all",
    "gevent.monkey:patch_os",
    "gevent.monkey:patch_queue",
    "gevent.monkey:patch_select",
    "gevent.monkey:patch_signal",
    "gevent.monkey:patch_socket",
    "gevent.monkey:patch_ssl",
    "gevent.monkey:patch_subprocess",
    "gevent.monkey:patch_thread",
    "gevent.monkey:patch_time",
)


def _grpc_is_green() -> bool:
    return bool(sys.modules["grpc._cython.cygrpc"].g_gevent_activated)


#: The functions by which programs ask for an original on purpose.
DELIBERATE = ("get_original",)

#: What makes libraries in C cooperate with gevent.
HELPS = {
    "psycopg2": Help("install psycogreen and call psycogreen.gevent.patch_psycopg()"),
    "grpc": Help("call grpc.experimental.gevent.init_gevent() after the patch", _grpc_is_green),
    "zmq": Help("use zmq.green in its place", lambda: "zmq.green" in sys.modules),
}

_PIPE = "its pipe is read by a call that stops all greenlets: "
_PROCESSES = "run the work in a pool of processes, pools.open('prefork') in a program of its own"

#: What does not work under gevent's patch, or stops all greenlets when it waits.
UNUSABLE = {
    "multiprocessing.pool.Pool": "its threads, which the patch made greenlets, wait in calls that stop all of them, "
    f"and it hangs: {_PROCESSES}, or use concurrent.futures.ProcessPoolExecutor, which does work",
    "multiprocessing.queues.Queue": _PIPE + _PROCESSES,
    "multiprocessing.queues.JoinableQueue": _PIPE + _PROCESSES,
    "multiprocessing.queues.SimpleQueue": _PIPE + _PROCESSES,
    "multiprocessing.managers.SyncManager": "its connections are sockets of the patch, which it reads as if they were "
    f"not: {_PROCESSES}",
}


def originals() -> dict[str, object]:
    """Return what gevent has replaced, by dotted name."""
    saved: dict[str, dict[str, Any]] = sys.modules["gevent.monkey"].saved
    return {
        f"{module}.{name}": original
        for module, names in saved.items()
        for name, original in names.items()
        if callable(original) and getattr(sys.modules.get(module), name, None) is not original
    }
