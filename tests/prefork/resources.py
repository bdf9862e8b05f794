"""What children have, as they see it themselves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def links(pid: int | str) -> dict[str, str]:
    """The descriptors of a process, and what they are open on; of this very listing there is nothing."""
    found = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[entry.name] = str(entry.readlink())
        except FileNotFoundError:
            continue
    return {number: link for number, link in found.items() if not link.endswith("/fd")}


def descriptors(seconds: float) -> dict[str, Any]:
    """This process's, when others have had the time to do something too."""
    time.sleep(seconds)
    return {"pid": os.getpid(), "links": links("self")}


def inherited() -> list[str]:
    """Which descriptors a program has that a job runs, and for which nothing is closed."""
    code = "import os; print(*[n for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')])"
    done = subprocess.run([sys.executable, "-S", "-c", code], close_fds=False, stdout=subprocess.PIPE, check=True)
    return sorted(done.stdout.decode().split())


def listening(pids: Iterable[int]) -> list[str]:
    """Sockets of these processes that have a name or an address."""
    inodes = {link[len("socket:[") : -1] for pid in pids for link in links(pid).values() if link.startswith("socket:")}
    found = []
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[6] in inodes and len(fields) > 7:
            found.append(line)
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        table = Path(f"/proc/net/{kind}")
        lines = table.read_text().splitlines()[1:] if table.exists() else []
        found += [line for line in lines if line.split()[9] in inodes]
    return found


def signal_state() -> dict[str, Any]:
    """The signals for which there is a handler, those that are blocked, the descriptor for waking up."""
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    handled = {number: handler for number, handler in handlers.items() if callable(handler)}
    modules = {handler.__module__.rpartition(".")[2] for handler in handled.values()}
    return {
        "handled": sorted(handled),
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "wakeup": signal.set_wakeup_fd(-1),
        "module": ", ".join(sorted(modules)),
    }


def draw() -> tuple[float, float, str]:
    """Random numbers of three kinds."""
    import numpy as np

    return random.random(), np.random.random(), str(uuid.uuid4())
