"""What a pool may leave behind in its process: nothing."""

from __future__ import annotations

import gc
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

#: Seconds that the system has to take away what ended: a thread that was joined is listed for a moment longer.
PATIENCE = 5.0


@dataclass(frozen=True)
class Holdings:
    """What this process holds: native threads by id, descriptors with what they are open on, children by pid."""

    threads: frozenset[int]
    descriptors: dict[str, str]
    children: frozenset[int]


def holdings() -> Holdings:
    """What this process holds now, by the kernel's account, which no patch changes."""
    return Holdings(
        threads=frozenset(int(entry.name) for entry in Path("/proc/self/task").iterdir()),
        descriptors=dict(_descriptors()),
        children=frozenset(_children(os.getpid())),
    )


def leftovers(before: Holdings) -> str:
    """What this process holds beyond what it held ``before``, in words; empty if nothing stays."""
    give_up_at = time.monotonic() + PATIENCE
    while found := _more_than(before):
        if time.monotonic() > give_up_at:
            return found
        # A hub of a thread that has ended goes with the thread's last reference.
        gc.collect()
        time.sleep(0.005)
    return ""


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
    return ", ".join(found)


def _captures(holdings: Holdings) -> set[str]:
    """The descriptors of files that never had a name."""
    return {number for number, what in holdings.descriptors.items() if "/#" in what and what.endswith(" (deleted)")}


def _descriptors() -> list[tuple[str, str]]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # the descriptor of this very listing
            continue
        # Nameless files are pytest's, which captures output in them.
        if not target.startswith(f"{tempfile.gettempdir()}/#"):
            found.append((entry.name, target))
    return found


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may contain anything; the parent is the second field after it.
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found
