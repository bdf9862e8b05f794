"""How much memory the children of this process have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path


def of_children() -> list[float]:
    """The proportional set size, in bytes, of each process below this one that has no children itself.

    So those that only start others, as a fork server does, are left out.
    """
    return [_proportional_set_size(pid) for pid in _below(os.getpid()) if not list(_children(pid))]


def _proportional_set_size(pid: int) -> float:
    found = re.search(r"^Pss: +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024.0


def _below(pid: int) -> Iterator[int]:
    for child in _children(pid):
        yield child
        yield from _below(child)


def _children(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, path.read_text().split())
