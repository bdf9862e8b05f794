"""What children have and what they have not: nothing of the host's, of other children's, or of another pool's."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.records import apply
from tests.prefork.conftest import OpenPool
from tests.prefork.programs import run
from tests.prefork.resources import draw, signal_state

METHODS = ["fork", "forkserver", "spawn"]

DESCRIPTORS = """
    import json, os, sys, tempfile, time
    from pathlib import Path
    import pools
    from tests.prefork.resources import descriptors, inherited, links, listening

    if __name__ == "__main__":
        method, folder = sys.argv[1:]
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        other = pools.open("prefork", 2, start_method=method)
        pool = pools.open("prefork", 3, start_method=method)
        everything = [other.apply_async(descriptors, (0.0,))]
        while len({job.result(20)["pid"] for job in everything[1:]}) < 3:
            everything.append(pool.apply_async(descriptors, (0.02,)))
            everything.append(pool.apply_async(descriptors, (0.02,)))
            everything.append(pool.apply_async(descriptors, (0.02,)))
        found = [job.result(20) for job in everything]
        nursery = int(Path(f"/proc/{found[-1]['pid']}/stat").read_text().rpartition(")")[2].split()[1])
        print(json.dumps({
            "children": list({one["pid"]: one for one in found}.values()),
            "other": found[0]["pid"],
            "host": list(links("self").values()),
            "inherited": pool.apply_async(inherited).result(20),
            "listening": listening([os.getpid(), nursery, *(one["pid"] for one in found)]),
            "files": os.listdir(folder),
        }))
        pool.stop()
        other.stop()
"""


@pytest.mark.parametrize("method", METHODS)
def test_descriptors(tmp_path: Path, method: str) -> None:
    """A child has its two pipes, its memory and the host's lifeline: all private, nothing listens, nothing is a file.

    What it runs gets none of them.
    """
    folder = tmp_path / "temporary"
    folder.mkdir()
    found = json.loads(run(tmp_path, DESCRIPTORS, method, str(folder)))
    children = found["children"]
    assert len(children) == 4
    pipes: dict[int, set[str]] = {}
    for child in children:
        has = child["links"]
        assert has["0"] == "/dev/null"
        del has["1"], has["2"]
        pipes[child["pid"]] = {link for link in has.values() if link.startswith("pipe:")} & set(found["host"])
        assert len(pipes[child["pid"]]) == 3
        assert not [link for link in has.values() if link.startswith(("socket:", "anon_inode:[pidfd]"))]
        # The mapping of it has a descriptor of its own.
        assert sum(link.startswith("/memfd:pools-prefork") for link in has.values()) == 2
    theirs = pipes.pop(found["other"])
    all_of_ours: set[str] = set().union(*pipes.values())
    assert len(set.intersection(*pipes.values())) == 1
    assert len(all_of_ours) == 7
    assert not theirs & all_of_ours
    assert found["inherited"] == ["0", "1", "2"]
    assert found["listening"] == []
    assert found["files"] == []


@pytest.mark.parametrize("method", METHODS)
def test_signals(open_pool: OpenPool, method: str) -> None:
    """Handlers of the host are none of a child's, nor are what it has blocked, and its descriptor for waking up."""

    def handle(number: int, frame: Any) -> None:
        raise AssertionError("this is the host's")

    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD)
    before = {number: signal.signal(number, handle) for number in numbers}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        pool = open_pool(start_method=method)
        found = apply(pool, signal_state).value()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    assert found == {"handled": sorted([signal.SIGTERM, signal.SIGUSR1]), "mask": [], "wakeup": -1, "module": "child"}


@pytest.mark.parametrize("method", METHODS)
def test_random_numbers(open_pool: OpenPool, method: str) -> None:
    """No two children draw the same, from any of the usual sources; nor does a successor draw what came before."""
    np.random.seed(1)
    first = np.random.random()
    np.random.seed(1)
    pool = open_pool(2, start_method=method, max_tasks_per_child=1)
    drawn = [apply(pool, draw).value() for _ in range(4)]
    for kind in range(3):
        assert len({numbers[kind] for numbers in drawn}) == 4
    assert first not in {numbers[1] for numbers in drawn}
