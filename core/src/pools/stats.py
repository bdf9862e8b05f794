"""What a pool counts, and the size of this machine as far as this process may use it."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

from pools.states import JobState


class Counts:
    """How many jobs ended in which outcome.

    One slot per outcome and ``+= 1`` on it: CPython switches threads at calls and backward jumps, never between the
    load and the store of such a line, so no count is lost and no lock is needed.
    """

    __slots__ = ("cancelled", "failed", "lost", "succeeded", "terminated", "timed_out")

    def __init__(self) -> None:
        self.succeeded = self.failed = self.timed_out = self.lost = self.terminated = self.cancelled = 0

    def add(self, outcome: JobState) -> None:
        """Count one job of this outcome."""
        if outcome is JobState.SUCCEEDED:
            self.succeeded += 1
        elif outcome is JobState.FAILED:
            self.failed += 1
        elif outcome is JobState.TIMED_OUT:
            self.timed_out += 1
        elif outcome is JobState.CANCELLED:
            self.cancelled += 1
        elif outcome is JobState.TERMINATED:
            self.terminated += 1
        else:
            self.lost += 1

    def as_dict(self) -> dict[str, int]:
        """The counts by the name of the outcome."""
        return {name: getattr(self, name) for name in self.__slots__}


def processors() -> int:
    """The processors that this process may use: its affinity and its cgroup's quota, not the host's number."""
    if sys.platform == "linux":
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = cgroup_quota(Path("/sys/fs/cgroup"), Path("/proc/self/cgroup"))
    return count if quota is None else max(1, min(count, quota))


def cgroup_quota(root: Path, membership: Path) -> int | None:
    """The processors that the quota of this process's cgroup, or of one above it, amounts to, rounded up.

    Reads ``cpu.max`` of cgroup v2 and ``cpu.cfs_quota_us`` of v1, as the kernel's admin guide describes them.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    quotas: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = root / "cpu" if controllers else root
        group = base / path.lstrip("/")
        for folder in (group, *group.parents):
            quotas.extend(_quota_of(folder))
            if folder == base:
                break
    return math.ceil(min(quotas)) if quotas else None


def _quota_of(folder: Path) -> list[float]:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return [] if quota in ("max", "-1") else [int(quota) / int(period)]
    except (OSError, ValueError):
        return []
