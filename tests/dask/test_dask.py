"""The dask pool on real schedulers and workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")
# One worker runs these, so that the cluster of this module is started once.
pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]

#: A cluster of four processes with one thread each, until its standard input ends.
CLUSTER = """
import logging, sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=4,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
        scheduler_kwargs={"allowed_failures": 0},
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of somebody's; gives the address of its scheduler."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(CLUSTER)
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        assert cluster.stdout is not None
        yield cluster.stdout.readline().strip()


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_pools_run_on_a_cluster_of_its_own(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_text('1\n-2\n"x"\n')
    done = run("-m", "pools", "run", "operator:neg", "-P", "dask", "-c", "2", "--json", "--input", str(lines))
    assert done.returncode == 1, done.stderr
    records = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda record: int(record["line"]))
    assert [record.get("result") for record in records] == [-1, 2, None]
    assert records[2]["error"]["type"] == "TypeError"


def test_the_demonstration_tells_the_truth_of_it() -> None:
    done = run("-m", "examples.feedhub", "--pool", "dask", "-c", "4", "--feeds", "40")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "    1  feeds.StatusError: 404 Not Found\n" in done.stdout
    assert "all as the server had it" in done.stdout


PROGRAM = """
import os, socket, sys
import pools
from pools.errors import UsageError

def leave():
    sys.exit(7)

def fail_oddly():
    raise Odd(1, 2)

class Odd(Exception):
    def __init__(self, one, other):
        super().__init__(one)

if __name__ == "__main__":
    try:
        pools.open("dask", 5)
    except UsageError as error:
        print(error)
    with pools.open("dask", 2) as pool:
        pids = set(pool.map(lambda _: os.getpid(), range(8)))
        assert pids and os.getpid() not in pids
        for target, arguments in [
            (divmod, (1, 0)), (leave, ()), (fail_oddly, ()), (abs, ((n for n in "a"),)), (os._exit, (7,)), (abs, (-5,))
        ]:
            job = pool.apply_async(target, arguments)
            error = job.exception(60)
            print(job.state.value, type(error).__name__, type(getattr(error, "__cause__", None)).__name__)
"""


def test_jobs_on_a_cluster_of_somebody(address: str, tmp_path: Path) -> None:
    """Whatever they do, the pool and the cluster go on."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = run(str(program), DASK_SCHEDULER_ADDRESS=address)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "the Dask cluster has 4 threads, too few for 5 slots",
            "failed ZeroDivisionError RemoteTraceback",
            "failed RemoteError NoneType",
            "failed RemoteError NoneType",
            "failed TypeError NoneType",
            "lost WorkerLostError KilledWorker",
            "succeeded NoneType NoneType",
        ],
    ), done.stderr
