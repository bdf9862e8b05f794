"""Point 4: nothing of a stopped pool is left, and a pool that runs does not grow with its jobs."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from pools import BasePool
from pools.errors import PoolStateError
from pools.states import PoolState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.history import patience
from pools.testing.leftovers import count, holdings, leftovers
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, finish
from pools.testing.waiting import eventually, pause, wait

#: How much more of a kind a pool may hold after twice as many jobs: what it makes when first needed.
SLACK = 3


def _live(subject: PoolUnderTest, end: str) -> None:
    """A whole life of a pool: jobs that return, raise, wait and are cancelled, limits, a resize, a timer."""
    pool = subject.open(subject.several)
    records = [apply(pool, divmod, 7, number % 2) for number in range(6)]
    if subject.traits.hard_timeout:
        records.append(apply(pool, targets.spend, patience(), timeout=0.02))
    if subject.traits.resize:
        pool.grow()
        pool.shrink()
    pool.timer.call_after(3600.0, targets.pid)
    with busy(pool):
        records.append(apply(pool, targets.give, 1))
        records[-1].job.cancel()
        ending = NativeThread(pool, getattr(pool, end))
    ending.join()
    finish(records)


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_nothing_is_left(subject: PoolUnderTest, end: str) -> None:
    """No thread, descriptor, child, greenlet or temporary file, life after life."""
    subject.end()
    _live(subject, end)
    before = holdings()
    for _ in range(subject.rounds(3)):
        _live(subject, end)
        assert (left := leftovers(before)) == "", f"left of a pool after {end}(): {left}"


def test_nothing_is_left_of_a_pool_that_did_nothing(subject: PoolUnderTest) -> None:
    """The same."""
    subject.end()
    before = holdings()
    for _ in range(2):
        subject.open(subject.several).stop()
    assert (left := leftovers(before)) == "", f"left of a pool that was stopped: {left}"


def test_a_pool_does_not_grow_with_its_jobs(open_pool: OpenPool, subject: PoolUnderTest, several: int) -> None:
    """What it holds after many jobs, it held after the first few."""
    pool = open_pool(several)
    many = max(10, subject.load(150))

    def work(number: int) -> dict[str, int]:
        finish([apply(pool, divmod, 7, number % 2) for number in range(number)])
        assert pool.join(patience())
        return count(holdings())

    with busy(pool):
        pass
    before = work(many)
    work(many)
    # What ended a moment ago may be there for a moment longer.
    grown: list[str] = []

    def is_as_before() -> bool:
        now = count(holdings())
        grown[:] = [f"{now[kind] - before[kind]} {kind}" for kind in now if now[kind] > before[kind] + SLACK]
        gc.collect()
        return not grown

    assert eventually(is_as_before, 5.0), f"{many} jobs have left {', '.join(grown)} behind"


def _collected(refs: list[weakref.ref[Any]]) -> bool:
    gc.collect()
    return all(ref() is None for ref in refs)


def test_arguments_and_values_are_not_kept(open_pool: OpenPool) -> None:
    """Of a job that has ended, nothing that it was given and nothing that it gave is kept, by the pool or by the job;
    neither is a job that nobody holds."""
    pool = open_pool()
    for _ in range(3):
        given, keyword = targets.Thing(), targets.Thing()
        watched: list[weakref.ref[Any]] = [weakref.ref(given), weakref.ref(keyword)]
        job = pool.apply_async(targets.collect, (given,), {"keyword": keyword})
        job.wait(patience())
        other = pool.apply_async(targets.make_thing)
        watched.append(weakref.ref(other.result(patience())))
        watched += [weakref.ref(job), weakref.ref(other)]
        assert pool.join(patience())
        del given, keyword, job, other
        assert eventually(partial(_collected, watched), 3.0), "a pool holds what its jobs were given, or gave"


def test_a_job_that_is_held_does_not_hold_its_arguments(one: BasePool) -> None:
    """Nor its callbacks."""
    given = targets.Thing()
    callback = _Callback()
    watched: list[weakref.ref[Any]] = [weakref.ref(given), weakref.ref(callback)]
    job = one.apply_async(targets.take, (given,), callback=callback)
    assert job.wait(patience())
    assert one.join(patience())
    del given, callback
    assert eventually(lambda: _collected(watched), 3.0), "a job that has ended holds its call"
    assert job.done()


class _Callback:
    def __call__(self, value: object) -> None:
        pass


def test_a_stopped_pool_is_not_kept(subject: PoolUnderTest) -> None:
    """Nothing holds it: no thread, timer, registry or signal."""
    pool = subject.open(1)
    assert apply_plainly(pool) == 8
    pool.stop()
    watched = weakref.ref(pool)
    del pool
    assert eventually(lambda: _collected([watched]), 3.0), "something holds a pool that was stopped"


def apply_plainly(pool: BasePool) -> Any:
    """Run a job of which no record is kept."""
    return pool.apply_async(targets.double, (4,)).result(patience())


def test_a_stopped_pool_calls_nothing_later(open_pool: OpenPool) -> None:
    """What was scheduled with its timer goes with it."""
    pool = open_pool()
    called: list[str] = []
    ticked = pool.new_event()
    pool.timer.call_after(0.06, called.append, ("later",))
    pool.timer.call_repeatedly(0.01, ticked.set)
    wait(ticked, "a call of the timer")
    pool.timer.call_repeatedly(0.01, called.append, ("again",))
    pool.stop()
    calls = len(called)
    pause(0.12)
    assert len(called) == calls, "a stopped pool makes the calls that were scheduled with it"


@pytest.mark.needs("jobs in this process")
@pytest.mark.parametrize("call", ["stop", "join", "restart", "terminate"])
def test_a_job_cannot_end_its_pool(one: BasePool, call: str) -> None:
    """It would wait for itself, or end itself half-way: refused, and the pool goes on."""
    refused: list[str] = []

    def job() -> None:
        refused.append(_refused(getattr(one, call)))

    apply(one, job).value()
    assert one.name in refused[0]
    assert apply(one, targets.double, 4).value() == 8
    assert one.state is PoolState.RUNNING


def _refused(call: Callable[[], object]) -> str:
    """Make a call that must be refused; returns the message."""
    try:
        call()
    except PoolStateError as error:
        return str(error)
    raise AssertionError("a job waits for itself")


AT_EXIT = """
import sys
from pathlib import Path
sys.path[:] = {path!r}
patched_as, name, options = {patched_as!r}, {name!r}, {options!r}
import pools
if patched_as:
    pools.patch(patched_as)
from pools.testing import targets
pool = pools.open(name, 1, **options)
for number in range(6):
    pool.apply_async(targets.span, (0.01,), callback=lambda _: print("done", flush=True))
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("sys.exit(3)", 3)])
def test_a_program_that_ends_finishes_what_it_gave(subject: PoolUnderTest, end: str, code: int) -> None:
    """A pool that nobody stopped is stopped at the program's end, however it ends."""
    from pools.testing.check import patched_as

    program = AT_EXIT.format(
        path=sys.path, patched_as=patched_as(subject.name), name=subject.name, options=subject.options, end=end
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, timeout=50.0, check=False
    )
    assert (done.stdout.count("done"), done.returncode) == (6, code), done.stdout + done.stderr
