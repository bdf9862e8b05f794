"""Point 4: new → running → closing → stopped; what the state forbids is refused; a stop finishes what was taken."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from pools import BasePool, signals
from pools.errors import PoolStateError, Terminated, UnsupportedError
from pools.states import PoolState
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import Gate
from pools.testing.history import note, patience
from pools.testing.native import NativeThread
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import Record, apply, busy, finish, launch
from pools.testing.waiting import pause

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
    "close": set(PoolState),
    "stop": set(PoolState),
    "terminate": set(PoolState),
}


def _pool_in(state: PoolState, subject: PoolUnderTest, open_pool: OpenPool) -> BasePool:
    """A pool that has come to this state."""
    if state is PoolState.NEW:
        return subject.make()
    pool = open_pool()
    if state is PoolState.CLOSING:
        pool.close()
    elif state is PoolState.STOPPED:
        pool.stop()
    assert pool.state is state
    return pool


def _check_calls(pool: BasePool, state: PoolState, forbidden: bool) -> None:
    arguments = {"apply_async": (int,), "submit": (int,), "map": (int, [1])}
    for call, legal in LEGAL.items():
        if call in ("grow", "shrink") and not pool.traits.resize:
            with pytest.raises(UnsupportedError):
                getattr(pool, call)()
        elif (state not in legal) == forbidden:
            note(f"{call}() of a pool that is {state.value}")
            if forbidden:
                with pytest.raises(PoolStateError, match=rf"{pool.name}.* {state.value}"):
                    getattr(pool, call)(*arguments.get(call, ()))
                assert pool.state is state


@pytest.mark.parametrize("state", PoolState)
def test_what_a_state_forbids(open_pool: OpenPool, subject: PoolUnderTest, state: PoolState) -> None:
    """It raises ``PoolStateError``, naming pool and state, and changes nothing."""
    pool = _pool_in(state, subject, open_pool)
    _check_calls(pool, state, forbidden=True)
    pool.terminate()
    assert pool.state is PoolState.STOPPED


def test_the_moves_from_state_to_state(subject: PoolUnderTest) -> None:
    """Each legal call has its effect, and a stopped pool starts again."""
    pool = subject.make()
    states = [pool.state]
    for call in ("start", "close", "close", "join", "stop", "start", "terminate"):
        note(f"{call}()")
        getattr(pool, call)()
        states.append(pool.state)
        if call == "start":
            assert apply(pool, targets.double, 4).value() == 8
    new, running, closing, stopped = PoolState
    assert states == [new, running, closing, closing, closing, stopped, running, stopped]


@pytest.mark.parametrize("end", ["stop", "terminate"])
def test_ends_may_be_called_again(open_pool: OpenPool, subject: PoolUnderTest, end: str) -> None:
    """Closing, stopping and terminating a pool that has ended, or was never started, does nothing."""
    for pool in (open_pool(), subject.make()):
        getattr(pool, end)()
        pool.close()
        pool.stop()
        pool.terminate()
        assert pool.join(0)
        assert pool.state is PoolState.STOPPED


def test_stop_finishes_what_was_taken(open_pool: OpenPool, several: int) -> None:
    """Jobs that run and jobs that wait, and their callbacks."""
    pool = open_pool(several)
    records = [apply(pool, targets.span, 0.01) for _ in range(5 * several)]
    pool.stop()
    assert [record.kinds for record in records] == [["accepted", "value"]] * (5 * several)
    finish(records)


def test_stop_waits_however_long_a_job_takes(open_pool: OpenPool) -> None:
    """It has not returned while the job runs, nor while another waits behind it."""
    pool = open_pool()
    gate = Gate()
    holder = launch(pool, targets.hold, gate.path)
    holder.accepted()
    waiting = apply(pool, targets.give, 1)
    stopped: list[PoolState] = []

    def stop() -> None:
        pool.stop()
        stopped.append(pool.state)

    thread = NativeThread(pool, stop)
    pause(0.1)
    assert stopped == []
    assert holder.kinds == ["accepted"]
    gate.open()
    thread.join()
    assert stopped == [PoolState.STOPPED]
    finish([holder, waiting])
    assert [holder.kinds, waiting.kinds] == [["accepted", "value"]] * 2


def test_join_waits_for_jobs_and_callbacks(open_pool: OpenPool) -> None:
    """It tells whether all has ended, what waits and what callbacks do included; the pool goes on."""
    pool = open_pool()
    seen: list[str] = []

    def callback(_: object) -> None:
        targets.spend(0.05)
        seen.append("called back")

    with busy(pool) as (holder,):
        waiting = launch(pool, targets.give, 1, callback=callback)
        assert not pool.join(0.02)
        assert not pool.join(0)
        assert waiting.kinds == []
    assert pool.join(patience())
    assert seen == ["called back"]
    assert holder.job.done()
    assert waiting.job.done()
    assert apply(pool, targets.double, 4).value() == 8


def test_close_takes_no_more(open_pool: OpenPool) -> None:
    """What was taken before goes on."""
    pool = open_pool()
    with busy(pool) as (holder,):
        waiting = apply(pool, targets.give, 1)
        pool.close()
        with pytest.raises(PoolStateError, match="closing"):
            pool.apply_async(targets.give, (2,))
    assert pool.join(patience())
    finish([holder, waiting])
    assert waiting.kinds == ["accepted", "value"]
    assert pool.state is PoolState.CLOSING


def ended_by(pool: BasePool, end: Callable[[], object], records: list[Record]) -> NativeThread[Any]:
    """End a pool whose slots are held, and see that no outcome waits for that; returns the thread that ends it.

    Only where running jobs can be ended need nobody wait for them at all.
    """
    note("the pool is ended")
    thread = NativeThread(pool, end)
    for record in records:
        assert isinstance(record.error(), Terminated)
        record.check()
    if pool.traits.terminate:
        thread.join()
        assert pool.state is PoolState.STOPPED
    return thread


def test_stop_terminates_past_its_timeout(open_pool: OpenPool) -> None:
    """Whatever runs or waits then has the outcome terminated; not before."""
    pool = open_pool()
    with busy(pool) as holders:
        waiting = apply(pool, targets.give, 1)
        began = monotonic()
        thread = ended_by(pool, lambda: pool.stop(timeout=0.1), [*holders, waiting])
        assert 0.1 <= monotonic() - began < patience()
    thread.join()
    assert pool.state is PoolState.STOPPED


def test_stop_needs_not_all_of_its_timeout(open_pool: OpenPool) -> None:
    """A pool whose jobs end in time terminates none."""
    pool = open_pool()
    records = [apply(pool, targets.span, 0.01) for _ in range(3)]
    pool.stop(timeout=patience())
    finish(records)
    assert [record.kinds for record in records] == [["accepted", "value"]] * 3


def test_terminate_gives_every_job_its_outcome(open_pool: OpenPool, several: int) -> None:
    """At once: it waits for no job to end by itself."""
    pool = open_pool(several)
    with busy(pool) as holders:
        waiting = [apply(pool, targets.give, number) for number in range(20)]
        thread = ended_by(pool, pool.terminate, [*holders, *waiting])
    thread.join()
    assert pool.state is PoolState.STOPPED


def test_the_signals_of_a_life(subject: PoolUnderTest) -> None:
    """``started``, ``preshutdown`` while jobs may still run, ``postshutdown`` when nothing is left."""
    pool = subject.make()
    seen: list[tuple[str, PoolState]] = []

    def noting(name: str) -> Callable[..., None]:
        return lambda sender: seen.append((name, sender.state))

    receivers = [noting(name) for name in ("started", "preshutdown", "postshutdown")]
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
