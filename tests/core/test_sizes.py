"""The processors that this process may use: its affinity, and the quotas of its cgroups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pools.stats import cgroup_quota, processors


def test_no_more_than_affinity() -> None:
    """A quota can only make it fewer."""
    assert 1 <= processors() <= len(os.sched_getaffinity(0))


#: A process's line in ``/proc/self/cgroup``, the files of its cgroups, and the processors that they allow.
QUOTAS: dict[str, tuple[str, dict[str, str], int | None]] = {
    "v2": ("0::/app", {"app/cpu.max": "200000 100000"}, 2),
    "v2, in a container": ("0::/", {"cpu.max": "150000 100000"}, 2),
    "v2, less than one": ("0::/app", {"app/cpu.max": "50000 100000"}, 1),
    "v2, a fraction more": ("0::/app", {"app/cpu.max": "310000 100000"}, 4),
    "v2, no quota": ("0::/app", {"app/cpu.max": "max 100000"}, None),
    "v2, no controller": ("0::/app", {"app/cgroup.procs": "1"}, None),
    "v2, a stricter one above": ("0::/a/b", {"a/b/cpu.max": "800000 100000", "a/cpu.max": "300000 100000"}, 3),
    "v2, a looser one above": ("0::/a/b", {"a/b/cpu.max": "200000 100000", "a/cpu.max": "max 100000"}, 2),
    "v2, only one far above": ("0::/a/b/c", {"a/cpu.max": "500000 100000"}, 5),
    "v2, of another": ("0::/a", {"b/cpu.max": "100000 100000"}, None),
    "v1": ("4:cpu,cpuacct:/app", {"cpu/app/cpu.cfs_quota_us": "250000", "cpu/app/cpu.cfs_period_us": "100000"}, 3),
    "v1, no quota": ("4:cpu:/app", {"cpu/app/cpu.cfs_quota_us": "-1", "cpu/app/cpu.cfs_period_us": "100000"}, None),
    "v1, mounted in a container": (
        "4:cpu:/docker/abc",
        {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"},
        1,
    ),
    "v1, other controllers": ("3:memory:/app\n2:cpuset:/app", {"cpu/app/cpu.cfs_quota_us": "100000"}, None),
    "both versions": (
        "4:cpu:/app\n0::/app",
        {"cpu/app/cpu.cfs_quota_us": "200000", "cpu/app/cpu.cfs_period_us": "100000", "app/cgroup.procs": "1"},
        2,
    ),
    "not to be read": ("0::/app", {"app/cpu.max": "a few"}, None),
    "no cgroup": ("", {}, None),
}


@pytest.mark.parametrize("case", QUOTAS)
def test_the_quota_of_a_cgroup(tmp_path: Path, case: str) -> None:
    """Of the process's cgroup and of those above it, the strictest, rounded up."""
    lines, files, expected = QUOTAS[case]
    root = tmp_path / "cgroup"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    membership = tmp_path / "membership"
    membership.write_text(f"{lines}\n" if lines else "")
    assert cgroup_quota(root, membership) == expected


def test_a_system_without_cgroups(tmp_path: Path) -> None:
    """Nothing is limited where nothing says so."""
    assert cgroup_quota(tmp_path / "none", tmp_path / "none either") is None
