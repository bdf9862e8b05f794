"""A program for :mod:`tests.core.test_blocking`, patched for the pool that its argument names: holds its hub in turn.

It prints, by what was done, who was reported: ``[name of the job or null, where it stood, whether on another thread]``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pools

NAME = sys.argv[1]
LIMIT = 0.2
SLEEP: Callable[[float], None]
if NAME == "gevent":
    SLEEP = import_module("gevent.monkey").get_original("time", "sleep")
    get_ident = import_module("gevent.monkey").get_original("_thread", "get_ident")
else:
    SLEEP = import_module("eventlet.patcher").original("time").sleep
    get_ident = import_module("eventlet.patcher").original("_thread").get_ident

HUB_THREAD = get_ident()
reports: list[tuple[str | None, str, bool]] = []
found: dict[str, Any] = {}


def note(pool: pools.BasePool, job: pools.Job | None, seconds: float, stack: str) -> None:
    assert seconds >= LIMIT
    reports.append((job.correlation_id if job else None, stack.splitlines()[-1].strip(), get_ident() != HUB_THREAD))
    raise RuntimeError("of a receiver")


def waits_natively() -> None:
    SLEEP(3 * LIMIT)  # natively


def computes() -> None:
    until = time.monotonic() + 4 * LIMIT
    while time.monotonic() < until:
        sum(range(100))  # computes


def keeps_the_lock() -> None:
    size, used = 10**6, 0.0
    while used < 3 * LIMIT:  # of a processor that others may have as well
        size *= 2
        began = time.thread_time()
        sum(range(size))  # keeps the interpreter's lock
        used = time.thread_time() - began


def waits() -> None:
    time.sleep(3 * LIMIT)


def yields() -> None:
    for _ in range(40):
        until = time.monotonic() + LIMIT / 10
        while time.monotonic() < until:
            pass
        time.sleep(0)


def blocks_twice() -> None:
    SLEEP(2 * LIMIT)
    time.sleep(LIMIT)
    SLEEP(2 * LIMIT)


def done(name: str) -> None:
    found[name] = list(reports)
    reports.clear()


pools.signals.blocked.connect(note)
with pools.open(NAME, 20, block_limit=LIMIT) as pool:
    for target in (waits_natively, computes, keeps_the_lock, waits, yields, blocks_twice):
        pool.apply_async(target, correlation_id=target.__name__).result()
        done(target.__name__)

    pool.apply_async(SLEEP, (3 * LIMIT,), correlation_id="in C").result()
    done("a target in C")
    for job in [pool.apply_async(yields) for _ in range(3)]:
        job.result()
    done("several that yield")

    others = pool.apply_async(waits)
    time.sleep(0)
    computes()
    others.result()
    done("the host")
    computes()
    done("the host while there are no jobs")
    time.sleep(3 * LIMIT)
    done("nobody")

    # Another process stops this one while a job of it runs, and lets it go on.
    stop = "import os, sys, time; os.kill(int(sys.argv[1]), 19); time.sleep(1); os.kill(int(sys.argv[1]), 18)"
    stopper = subprocess.Popen([sys.executable, "-c", stop, str(os.getpid())])
    pool.apply_async(waits).result()
    stopper.wait()
    done("a process that was stopped")
assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL
print(json.dumps(found))
