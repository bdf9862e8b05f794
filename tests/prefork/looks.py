"""What a test sees of a pool and its children from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from time import monotonic
from typing import Any

from pools import BasePool
from tests.contract.records import PATIENCE


def pids(pool: BasePool) -> list[int]:
    """The processes of the children that are up."""
    return [child["pid"] for child in pool.info["children"] if child["state"] in ("idle", "busy")]


def settled(call: Callable[[], Any], wanted: Any) -> None:
    """Wait until a call returns what is wanted."""
    give_up_at = monotonic() + PATIENCE
    while (found := call()) != wanted:
        assert monotonic() < give_up_at, f"{found}, not {wanted}"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
