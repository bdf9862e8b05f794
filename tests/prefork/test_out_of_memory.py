"""The kernel's out-of-memory killer, in a cgroup of the test's own: what it does to a child is said."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prefork.programs import run

#: What the host and its children may have together, and what the job asks for, in bytes.
LIMIT = 128 << 20
TOO_MUCH = 256 << 20

HOST = """
    import logging
    import operator
    import sys
    from pathlib import Path

    import pools

    if __name__ == "__main__":
        logging.disable()  # a death is logged, too
        members, size = Path(sys.argv[1]), int(sys.argv[2])
        members.write_text("0")
        with pools.open("prefork", 1) as pool:
            lost = pool.apply_async(operator.mul, (b"x", size))
            print(lost.exception(30))
            print(pool.submit(abs, -1).result(30))
"""


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Path]:
    """The file by which a process becomes a member of a cgroup whose memory is limited."""
    group = Path("/sys/fs/cgroup/memory") / own_group("memory") / f"pools-test-{os.getpid()}"
    limits = {"memory.limit_in_bytes": LIMIT, "memory.memsw.limit_in_bytes": LIMIT}
    if not group.parent.is_dir():
        group = Path("/sys/fs/cgroup") / own_group("") / group.name
        limits = {"memory.max": LIMIT, "memory.swap.max": 0}
    try:
        group.mkdir()
        try:
            for name, limit in limits.items():
                with contextlib.suppress(FileNotFoundError):  # the kernel does not account for swap
                    (group / name).write_text(str(limit))
            yield group / "cgroup.procs"
        finally:
            group.rmdir()
    except OSError as error:
        pytest.skip(f"no cgroup with a limit of its own can be made here: {error}")


def own_group(controller: str) -> str:
    """Where this process is in the hierarchy of a controller; of cgroup v2, if it is empty."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def test_a_loss_says_that_the_killer_was_at_work(tmp_path: Path, members: Path) -> None:
    lost, value = run(tmp_path, HOST, str(members), str(TOO_MUCH)).splitlines()
    assert "was killed by SIGKILL (the kernel's out-of-memory killer was at work); it had " in lost
    assert value == "1"
