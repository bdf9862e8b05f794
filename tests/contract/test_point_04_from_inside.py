"""Point 4, from inside: what callbacks may ask of their pool, and a program that ends without stopping it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import pools
from pools.errors import PoolStateError, Terminated
from pools.states import PoolState
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, apply, busy
from tests.patched import run_patched


def refused(call: Callable[[], object]) -> str:
    """Make a call that must be refused; returns the message."""
    with pytest.raises(PoolStateError) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize("call", ["stop", "join", "restart"])
def test_a_callback_cannot_wait_for_its_pool(open_pool: OpenPool, call: str) -> None:
    """A callback runs in the job's slot, which it would wait for."""
    pool = open_pool()
    told = pool.new_event()
    messages: list[str] = []

    def callback(_: object) -> None:
        messages.append(refused(getattr(pool, call)))
        told.set()

    pool.apply_async(int, callback=callback)
    assert told.wait(PATIENCE)
    assert pool.name in messages[0]
    assert apply(pool, int, 5).value() == 5


def test_a_callback_may_terminate_the_pool(open_pool: OpenPool) -> None:
    """It waits for nothing: other jobs are terminated, and the pool has stopped when the callback goes on."""
    pool = open_pool()
    told = pool.new_event()
    states: list[PoolState] = []

    def callback(_: object) -> None:
        pool.terminate()
        states.append(pool.state)
        told.set()

    with busy(pool):
        first, waiting = apply(pool, int, callback=callback), apply(pool, int)
    assert told.wait(PATIENCE)
    assert states == [PoolState.STOPPED]
    assert isinstance(waiting.error(), Terminated)
    first.job.wait(PATIENCE)
    assert first.job.result(0) == 0


AT_EXIT = r"""
import pools, sys, time
pool = pools.open({name!r}, 2 if pools.spec({name!r}).traits.max_concurrency is None else 1)
def job(number):
    time.sleep(0.01)
    return number
for number in range(10):
    pool.apply_async(job, (number,), callback=lambda value: sys.stdout.write(f"job {{value}}\n"))
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(3)", 3), ("raise KeyError('the end')", 1)])
def test_a_program_that_ends_finishes_what_it_gave(pool_name: str, tmp_path: Path, end: str, code: int) -> None:
    """A pool that nobody stopped is stopped at the program's end, however it ends."""
    script = tmp_path / "program.py"
    script.write_text(AT_EXIT.format(name=pool_name, end=end))
    done = run_patched(pool_name, str(script))
    assert done.returncode == code, done.stdout
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("job")) == [
        f"job {n}" for n in range(10)
    ]


def test_open_returns_a_running_pool(pool_name: str) -> None:
    """``pools.open`` starts what it makes."""
    with pools.open(pool_name, 1) as pool:
        assert pool.state is PoolState.RUNNING
        assert pool.info["state"] == "running"
