"""Point 4: new → running → closing → stopped; what the state forbids is refused; nothing of a stopped pool is left."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

import pools
from pools import BasePool, signals
from pools.errors import PoolStateError, Terminated, UnsupportedError
from pools.states import PoolState
from tests.contract.conftest import OpenPool
from tests.contract.native import NativeThread
from tests.contract.records import PATIENCE, Record, apply, busy, spend, until
from tests.patched import run_patched

#: The calls of a pool's life, and the states in which each is legal.
LEGAL: dict[str, set[PoolState]] = {
    "start": {PoolState.NEW, PoolState.STOPPED},
    "restart": {PoolState.RUNNING},
    "apply_async": {PoolState.RUNNING},
    "submit": {PoolState.RUNNING},
    "map": {PoolState.RUNNING},
    "grow": {PoolState.RUNNING},
    "shrink": {PoolState.RUNNING},
    "join": set(PoolState),
    "stop": set(PoolState),
    "terminate": set(PoolState),
}


def pool_in(state: PoolState, open_pool: OpenPool) -> BasePool:
    """A pool that has come to this state."""
    pool = open_pool()
    if state is PoolState.NEW:
        return type(pool)(1)
    if state is PoolState.CLOSING:
        pool.close()
    elif state is PoolState.STOPPED:
        pool.stop()
    assert pool.state is state
    return pool


@pytest.mark.parametrize("state", PoolState)
@pytest.mark.parametrize("call", LEGAL)
def test_what_each_state_allows(open_pool: OpenPool, call: str, state: PoolState) -> None:
    """A call that the state forbids raises ``PoolStateError``, naming pool, state and call, and changes nothing."""
    pool = pool_in(state, open_pool)
    if call in ("grow", "shrink") and not pool.traits.resize:
        with pytest.raises(UnsupportedError, match=r"\(trait resize is False\)$"):
            getattr(pool, call)()
        return
    arguments = {"apply_async": (int,), "submit": (int,), "map": (int, [1])}.get(call, ())
    if call == "shrink" and state is PoolState.RUNNING:
        pool.grow()
    if state in LEGAL[call]:
        getattr(pool, call)(*arguments)
    else:
        forbidden = "apply_async" if call in ("submit", "map") else call
        with pytest.raises(PoolStateError, match=rf"^pool {pool.name} is {state.value}, which forbids {forbidden}\("):
            getattr(pool, call)(*arguments)
        assert pool.state is state
    pool.terminate()
    assert pool.state is PoolState.STOPPED


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_ends_may_be_called_again(open_pool: OpenPool, end: str) -> None:
    """Closing, stopping and terminating a pool that has ended does nothing."""
    pool = open_pool()
    getattr(pool, end)()
    pool.close()
    pool.stop()
    pool.terminate()
    assert pool.join(0)
    assert pool.state is PoolState.STOPPED


def test_stop_finishes_what_was_taken(open_pool: OpenPool, several: int) -> None:
    """Jobs that run and jobs that wait, and their callbacks."""
    pool = open_pool(several)
    records = [apply(pool, spend, 0.001) for _ in range(100)]
    pool.stop()
    for record in records:
        assert record.kinds == ["accepted", "value"]
        record.check()


def test_close_takes_no_more_and_join_waits(open_pool: OpenPool) -> None:
    """What was taken before goes on; ``join`` tells whether it has ended."""
    pool = open_pool()
    with busy(pool) as (holder,):
        waiting = apply(pool, int)
        pool.close()
        assert not pool.join(0.01)
        assert waiting.kinds == []
    assert pool.join(PATIENCE)
    assert waiting.kinds == ["accepted", "value"]
    holder.value()
    assert pool.state is PoolState.CLOSING
    pool.stop()


def test_stop_terminates_past_its_timeout(open_pool: OpenPool) -> None:
    """Whatever runs or waits then has the outcome terminated."""
    pool = open_pool()
    with busy(pool) as (holder,):
        waiting = apply(pool, int)
        began = monotonic()
        pool.stop(timeout=0.05)
        assert monotonic() - began >= 0.05
        assert pool.state is PoolState.STOPPED
        assert isinstance(holder.error(), Terminated)
        assert isinstance(waiting.error(), Terminated)
    holder.check()
    waiting.check()


def test_terminate_gives_every_job_its_outcome(open_pool: OpenPool, several: int) -> None:
    """At once: it waits for no job."""
    pool = open_pool(several)
    with busy(pool) as holders:
        waiting = [apply(pool, int) for _ in range(100)]
        pool.terminate()
        assert pool.state is PoolState.STOPPED
        for record in [*holders, *waiting]:
            assert isinstance(record.error(), Terminated)
    for record in [*holders, *waiting]:
        record.check()


def test_restart_finishes_what_was_taken_and_starts_anew(open_pool: OpenPool, several: int) -> None:
    """A pool that was restarted is as good as new, any number of times."""
    pool = open_pool(several)
    for _ in range(20):
        records = [apply(pool, int) for _ in range(10)]
        pool.restart()
        assert [record.kinds for record in records] == [["accepted", "value"]] * 10
        assert pool.state is PoolState.RUNNING
        assert pool.concurrency == several
        assert sum(pool.stats["jobs"].values()) == 0


def test_a_stopped_pool_starts_again(open_pool: OpenPool) -> None:
    """After ``stop``, and after ``terminate`` with a job that was still ending."""
    pool = open_pool()
    pool.stop()
    pool.start()
    assert apply(pool, int, 5).value() == 5
    with busy(pool):
        pool.terminate()
        pool.start()
        assert apply(pool, int, 6).value() == 6


def test_with_stops(open_pool: OpenPool) -> None:
    """At a normal end of the block, what was taken is finished; a pool that is new is started by the block."""
    with type(open_pool())(1) as pool:
        record = apply(pool, spend, 0.01)
    assert pool.state is PoolState.STOPPED
    assert record.kinds == ["accepted", "value"]


def test_with_terminates(open_pool: OpenPool) -> None:
    """When an exception comes out of the block; it goes on its way."""
    pool = open_pool()
    with busy(pool):
        waiting = apply(pool, int)
        with pytest.raises(ZeroDivisionError), pool:
            divmod(1, 0)
        assert pool.state is PoolState.STOPPED
        assert isinstance(waiting.error(), Terminated)


def refused(call: Callable[[], object]) -> str:
    """Make a call that must be refused; returns the message."""
    with pytest.raises(PoolStateError) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize("call", ["stop", "join", "restart", "terminate"])
def test_a_job_cannot_end_its_pool(open_pool: OpenPool, call: str) -> None:
    """It would wait for itself, or end itself half-way: refused, and the pool goes on."""
    pool = open_pool()
    message = apply(pool, refused, getattr(pool, call)).value()
    assert pool.name in message
    assert f"{call}()" in message or call == "restart"
    assert apply(pool, int, 5).value() == 5
    assert pool.state is PoolState.RUNNING


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


def test_the_signals_of_a_life(open_pool: OpenPool) -> None:
    """``started``, ``preshutdown`` while jobs still run, ``postshutdown`` when nothing is left."""
    pool = open_pool()
    pool.stop()
    seen: list[tuple[str, PoolState]] = []

    def note(name: str) -> Callable[..., None]:
        return lambda sender: seen.append((name, sender.state))

    receivers = [note(name) for name in ("started", "preshutdown", "postshutdown")]
    with (
        signals.started.connected_to(receivers[0], pool),
        signals.preshutdown.connected_to(receivers[1], pool),
        signals.postshutdown.connected_to(receivers[2], pool),
    ):
        pool.start()
        pool.stop()
        pool.start()
        pool.terminate()
    once = [("started", PoolState.RUNNING), ("preshutdown", PoolState.CLOSING), ("postshutdown", PoolState.STOPPED)]
    assert seen == once * 2


def test_a_stopped_pool_calls_nothing_later(open_pool: OpenPool) -> None:
    """What was scheduled with its timer goes with it."""
    pool = open_pool()
    called: list[str] = []
    ticked = pool.new_event()
    pool.timer.call_after(0.02, called.append, ("once",))
    pool.timer.call_repeatedly(0.005, ticked.set)
    assert ticked.wait(PATIENCE)
    pool.stop()
    count = len(called)
    until(monotonic() + 0.05)
    assert len(called) == count


@pytest.mark.parametrize("second", ["stop", "terminate", "close", "join"])
def test_two_may_end_a_pool_at_once(open_pool: OpenPool, several: int, second: str) -> None:
    """From two threads: both return, and each job has its outcome."""
    pool = open_pool(several)
    for _ in range(20):
        records = [apply(pool, until, monotonic() + 0.002) for _ in range(several + 1)]
        thread = NativeThread(pool, getattr(pool, second))
        pool.stop()
        thread.join()
        assert pool.state is PoolState.STOPPED
        for record in records:
            record.ended()
            record.check()
        pool.start()


def test_a_restart_races_with_new_jobs(open_pool: OpenPool, several: int) -> None:
    """Each job that another thread gave to a pool that is being restarted was refused, or has its outcome."""
    pool = open_pool(several)
    taken: list[Record] = []
    going = [True]
    thread = NativeThread(pool, apply_while, pool, taken, going)
    dice = random.Random(5)
    for _ in range(50):
        pool.restart()
        until(monotonic() + dice.uniform(0.0, 1e-3))
    going.clear()
    thread.join()
    for record in taken:
        assert isinstance(record.value(), int)
        record.check()


def apply_while(pool: BasePool, taken: list[Record], going: list[bool]) -> None:
    """Give jobs to the pool, whenever it takes any."""
    while going:
        try:
            taken.append(apply(pool, int))
        except PoolStateError:
            continue


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
