"""Code that holds the hub of a green pool for longer than its block limit is reported, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import needs
from tests.patched import check_patched, run_patched

PROGRAM = str(Path(__file__).with_name("blocking_program.py"))

pytestmark = pytest.mark.parametrize("pool", ["gevent", "eventlet"])


@pytest.fixture(autouse=True)
def _installed(pool: str) -> None:
    needs(pool)


def test_who_holds_the_hub_is_reported_once_and_nobody_else(pool: str) -> None:
    printed = check_patched(pool, PROGRAM, pool)
    found = json.loads(printed.splitlines()[-1])
    native = ["waits_natively", "SLEEP(3 * LIMIT)  # natively", True]
    locked = ["keeps_the_lock", "sum(range(size))  # keeps the interpreter's lock", True]
    twice = [["blocks_twice", "SLEEP(2 * LIMIT)", True]] * 2
    assert found.pop("waits_natively") == [native]
    assert [report[::2] for report in found.pop("computes")] == [["computes", True]]
    assert found.pop("keeps_the_lock")[-1:] == [locked]
    assert found.pop("blocks_twice") == twice
    assert found.pop("a target in C") == [["in C", "<built-in function sleep>", True]]
    assert [report[::2] for report in found.pop("the host")] == [[None, True]]
    assert list(found) == [
        "waits",
        "yields",
        "several that yield",
        "the host while there are no jobs",
        "nobody",
        "a process that was stopped",
    ]
    assert not any(found.values()), found
    assert "code that is no job of pool" in printed
    assert "a receiver of signal blocked raised" in printed


ONE = """
import logging, time, pools
logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
def compute():
    until = time.monotonic() + 0.4
    while time.monotonic() < until: pass
with pools.open(concurrency=1) as pool: pool.apply_async(compute).result()
"""


@pytest.mark.parametrize("given", ["option", "environment"])
def test_the_limit_is_given_like_any_option(pool: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    option = ("--block-limit", "0.1") if given == "option" else ()
    environment = {} if given == "option" else {"POOLS_BLOCK_LIMIT": "0.1"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run(
        [sys.executable, "-m", "pools", "exec", "-P", pool, *option, "-c", ONE],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, *stack = done.stderr.splitlines()
    assert first.startswith(f"WARNING pools.blocking job 1 of pool {pool} has held the hub for 0.1")
    assert first.endswith("(block_limit: 0.1 s), here:")
    assert "in compute" in stack[0]


def test_a_limit_without_meaning_is_refused(pool: str) -> None:
    code = f"import pools\ntry: pools.open({pool!r}, block_limit=-1)\nexcept ValueError as error: print(error)"
    assert check_patched(pool, "-c", code) == "block_limit must be a positive number of seconds, not -1\n"


def test_a_pool_on_another_thread_is_watched_as_well(pool: str) -> None:
    code = f"""
import time
import pools
from pools.registry import pool_class

found = []
def note(pool, **event):
    found.append(event["job"].id)
def compute():
    until = time.monotonic() + 0.4
    while time.monotonic() < until: pass
def work():
    with pools.open({pool!r}, 1, block_limit=0.1) as pool:
        pool.apply_async(compute).result()
    found.append("ended")

pools.signals.blocked.connect(note)
pool_class({pool!r})(1).get_native().start_new_thread(work, ())
while "ended" not in found:
    time.sleep(0.01)
print(found)
"""
    assert run_patched(pool, "-c", code).stdout.splitlines()[-1] == "[1, 'ended']"


BUSY_HANDLER = """
import logging, time
import pools

class Slow(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage().splitlines()[0])
        time.sleep(0.01)  # another greenlet's turn, with the lock taken

def block():
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        pass

def write(count):
    for number in range(count):
        logging.getLogger("program").warning("line %d", number)

said = []
logging.getLogger().addHandler(Slow())
with pools.open(concurrency=20, block_limit=0.05) as pool:
    for _ in range(8):
        jobs = [pool.apply_async(write, (3,)) for _ in range(4)]
        time.sleep(0.005)  # one of them has the lock, and the others wait for it
        jobs.append(pool.apply_async(block))
        for job in jobs:
            job.result(timeout=20)
    until = time.monotonic() + 20
    while sum("has held the hub" in line for line in said) < 8 and time.monotonic() < until:
        time.sleep(0.01)
print(sum("has held the hub" in line for line in said) >= 8, sum("line" in line for line in said))
"""


def test_a_log_handler_that_a_greenlet_uses(pool: str) -> None:
    """The report waits for it where that is possible, and nobody else waits for ever."""
    assert check_patched(pool, "-c", BUSY_HANDLER).split() == ["True", "96"]
