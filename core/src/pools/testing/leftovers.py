"""What a pool may leave behind in its process: nothing."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Seconds that the system has to take away what ended: a thread that was joined is listed for a moment longer.
PATIENCE = 5.0

#: Seconds between two looks: at first, and when it has become likely that something stays.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.016

#: The directory for temporary files, if no other process has any there.
private: list[Path] = []


@dataclass(frozen=True)
class Holdings:
    """What this process holds.

    Attributes:
        threads: Threads of the system, by id.
        descriptors: What each is open on.
        children: Processes, by pid.
        greenlets: Greenlets that have begun and not ended, by ``id``.
        files: What lies in the directory for temporary files, where that is this process's alone.
    """

    threads: frozenset[int]
    descriptors: dict[str, str]
    children: frozenset[int]
    greenlets: frozenset[int]
    files: frozenset[str]


def holdings() -> Holdings:
    """What this process holds now, by the kernel's account, which no patch changes."""
    return Holdings(
        threads=frozenset(int(entry.name) for entry in Path("/proc/self/task").iterdir()),
        descriptors=dict(_descriptors()),
        children=frozenset(_children()),
        greenlets=frozenset(_greenlets()),
        files=frozenset(entry.name for folder in private for entry in folder.iterdir()),
    )


def leftovers(before: Holdings, seconds: float = PATIENCE) -> str:
    """What this process holds beyond what it held ``before``, in words; empty if nothing stays."""
    give_up_at, pause = time.monotonic() + seconds, SHORTEST_PAUSE
    while found := _more_than(before):
        if time.monotonic() > give_up_at:
            return found
        time.sleep(pause)
        if pause < LONGEST_PAUSE:
            pause *= 2
        else:
            # A hub of a thread that has ended goes with the thread's last reference.
            gc.collect()
    return ""


def count(now: Holdings) -> dict[str, int]:
    """How much of each kind it is."""
    return {
        "threads": len(now.threads),
        "descriptors": len(now.descriptors),
        "children": len(now.children),
        "greenlets": len(now.greenlets),
        "temporary files": len(now.files),
    }


def _more_than(before: Holdings) -> str:
    now = holdings()
    found = []
    if threads := now.threads - before.threads:
        names = {getattr(thread, "native_id", None): thread.name for thread in threading.enumerate()}
        found.append(f"threads {[names.get(number, number) for number in sorted(threads)]}")
    # By number alone: pytest's capturing opens other files between setup, call and teardown, mostly under the same
    # numbers; but not if a pool that still runs has opened something in between.
    descriptors = now.descriptors.keys() - before.descriptors.keys()
    if len(captures := _captures(now)) <= len(_captures(before)):
        descriptors -= captures
    if descriptors:
        found.append(f"descriptors {[(number, now.descriptors[number]) for number in sorted(descriptors)]}")
    if children := now.children - before.children:
        found.append(f"children {sorted(children)}")
    if greenlets := now.greenlets - before.greenlets:
        found.append(f"{len(greenlets)} greenlets")
    if files := now.files - before.files:
        found.append(f"temporary files {sorted(files)}")
    return ", ".join(found)


def _captures(holdings: Holdings) -> set[str]:
    """The descriptors of files that never had a name."""
    return {number for number, what in holdings.descriptors.items() if "/#" in what and what.endswith(" (deleted)")}


def _descriptors() -> list[tuple[str, str]]:
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names are all that is asked for
        try:
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except FileNotFoundError:  # the descriptor of this very listing
            continue
        # Nameless files are pytest's, which captures output in them.
        if not target.startswith(f"{tempfile.gettempdir()}/#"):
            found.append((name, target))
    return found


def _children() -> list[int]:
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        try:
            found += map(int, (thread / "children").read_text().split())
        except FileNotFoundError:
            if thread.exists():
                return _children_by_parent()
            return _children()  # the thread has just ended, and its children are another one's now
    return found


def _children_by_parent() -> list[int]:
    """The same where the kernel was built without lists of them (``CONFIG_PROC_CHILDREN``): all processes are asked."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may contain anything; the parent is the second field after it.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            found.append(int(stat.parent.name))
    return found


def _greenlets() -> list[int]:
    library: Any = sys.modules.get("greenlet")
    if library is None:
        return []
    kind = library.greenlet
    return [id(found) for found in gc.get_objects() if issubclass(type(found), kind) and found and not found.dead]
