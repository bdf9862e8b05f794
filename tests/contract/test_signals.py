"""Signals: what just happened in a pool, for anyone in the program who wants to know."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from pools import BasePool, signals
from pools.errors import TimeLimitExceeded
from pools.spec import Traits
from pools.states import JobState, PoolState
from tests.contract.conftest import OpenPool
from tests.contract.records import AMPLE, PATIENCE, apply, spend

SIGNALS = ["started", "preshutdown", "postshutdown", "apply", "accepted", "finished", "timed_out"]


def _noop(*_: object, **__: object) -> None:
    pass


class Listener:
    """Receives what it is connected to.

    Attributes:
        events: The signals in order, each with its sender and what came with it.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, Any, dict[str, Any]]] = []

    @contextmanager
    def connected(self, *names: str, sender: object = None) -> Iterator[None]:
        """Listen to these signals inside the ``with`` block."""
        with ExitStack() as stack:
            for name in names:
                signal = getattr(signals, name)
                receiver = self._receiver(name)
                if sender is None:
                    stack.enter_context(signal.connected_to(receiver))
                else:
                    stack.enter_context(signal.connected_to(receiver, sender=sender))
            yield

    @property
    def names(self) -> list[str]:
        """The names of the signals, in order."""
        return [name for name, _, _ in self.events]

    def _receiver(self, name: str) -> Any:
        def receive(pool: object, **event: Any) -> None:
            self.events.append((name, pool, event))

        return receive


def test_the_life_of_a_pool(open_pool: OpenPool) -> None:
    """``started``, ``preshutdown`` and ``postshutdown``, once for each life, with the pool as sender."""
    listener = Listener()
    with listener.connected(*SIGNALS):
        pool = open_pool()
        assert listener.names == ["started"]
        pool.stop()
        pool.start()
        pool.restart()
        pool.terminate()
        pool.stop()
    assert listener.names == ["started", "preshutdown", "postshutdown"] * 3
    assert {id(sender) for _, sender, _ in listener.events} == {id(pool)}
    assert [event for _, _, event in listener.events] == [{}] * 9


def test_the_state_at_each_signal(open_pool: OpenPool) -> None:
    """A pool that has ``started`` runs; jobs are finished between ``preshutdown`` and ``postshutdown``."""
    seen: list[tuple[str, PoolState, bool]] = []
    pool = open_pool()
    jobs: list[Any] = []

    def on_started(sender: BasePool) -> None:
        jobs.append(sender.apply_async(spend, (0.005,)))
        seen.append(("started", sender.state, True))

    def on_preshutdown(sender: BasePool) -> None:
        seen.append(("preshutdown", sender.state, True))

    def on_postshutdown(sender: BasePool) -> None:
        seen.append(("postshutdown", sender.state, all(job.done() for job in jobs)))

    with (
        signals.started.connected_to(on_started),
        signals.preshutdown.connected_to(on_preshutdown),
        signals.postshutdown.connected_to(on_postshutdown),
    ):
        pool.restart()
        pool.stop()
    assert seen[2:] == [
        ("started", PoolState.RUNNING, True),
        ("preshutdown", PoolState.CLOSING, True),
        ("postshutdown", PoolState.STOPPED, True),
    ]


def test_the_life_of_a_job(open_pool: OpenPool) -> None:
    """``apply`` with the call, ``accepted`` and ``finished``, in this order."""
    pool = open_pool()
    listener = Listener()
    with listener.connected(*SIGNALS):
        job = pool.apply_async(_noop, (1, 2), {"key": "word"})
        job.result(PATIENCE)
        assert pool.join(PATIENCE)
    assert listener.events == [
        ("apply", pool, {"job": job, "target": _noop, "args": (1, 2), "kwargs": {"key": "word"}}),
        ("accepted", pool, {"job": job}),
        ("finished", pool, {"job": job}),
    ]


def test_the_outcome_is_there_when_a_job_is_finished(open_pool: OpenPool) -> None:
    """``finished`` comes for every outcome, after the job's own callbacks."""
    pool = open_pool()
    log: list[Any] = []

    def on_finished(_: object, job: Any) -> None:
        log.append((job.state, type(job.exception(0))))

    with signals.finished.connected_to(on_finished):
        pool.apply_async(divmod, (7, 2), callback=log.append).wait(PATIENCE)
        pool.apply_async(divmod, (7, 0), error_callback=lambda error: log.append("failed")).wait(PATIENCE)
        assert pool.join(PATIENCE)
    assert log == [(3, 1), (JobState.SUCCEEDED, type(None)), "failed", (JobState.FAILED, ZeroDivisionError)]


@pytest.mark.needs("hard_timeout")
def test_a_limit_that_passes(open_pool: OpenPool, traits: Traits) -> None:
    """``timed_out`` with the limit's kind and seconds, before ``finished``."""
    pool = open_pool()
    listener = Listener()
    soft: dict[str, Any] = {"soft_timeout": AMPLE} if traits.soft_timeout else {}

    def stubborn() -> None:
        while True:
            try:
                spend(PATIENCE)
            except Exception:
                continue

    with listener.connected("timed_out", "finished"):
        job = pool.apply_async(stubborn, timeout=3 * AMPLE, **soft)
        with pytest.raises(TimeLimitExceeded):
            job.result(PATIENCE)
        assert pool.join(PATIENCE)
    expected = [("timed_out", pool, {"job": job, "soft": True, "seconds": AMPLE})] if soft else []
    expected.append(("timed_out", pool, {"job": job, "soft": False, "seconds": 3 * AMPLE}))
    expected.append(("finished", pool, {"job": job}))
    assert listener.events == expected


def test_who_asks_for_one_pool(open_pool: OpenPool) -> None:
    """A receiver that names a sender hears of that pool alone."""
    one, other = open_pool(), open_pool()
    listener = Listener()
    with listener.connected(*SIGNALS, sender=one):
        apply(other, _noop).value()
        apply(one, _noop).value()
        assert one.join(PATIENCE)
        other.stop()
    assert [sender for _, sender, _ in listener.events] == [one] * 3


@pytest.mark.parametrize("error", [ValueError("receiver"), SystemExit(3), KeyboardInterrupt()])
@pytest.mark.parametrize("name", ["started", "apply", "accepted", "finished", "preshutdown", "postshutdown"])
def test_a_receiver_that_raises(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, name: str, error: BaseException
) -> None:
    """It is logged; the pool, the job and the other receivers notice nothing."""

    def fail(_: object, **__: object) -> None:
        raise error

    before, after = Listener(), Listener()
    signal = getattr(signals, name)
    with before.connected(name), signal.connected_to(fail), after.connected(name):
        pool = open_pool()
        for _ in range(3):
            assert pool.apply_async(divmod, (7, 2)).result(PATIENCE) == (3, 1)
        pool.stop()
    assert before.names == after.names == [name] * (3 if name in ("apply", "accepted", "finished") else 1)
    messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert messages == [f"a receiver of signal {name} raised"] * len(before.names)
    assert pool.stats["jobs"]["succeeded"] == 3
    caplog.clear()


def test_receivers_are_held_weakly(open_pool: OpenPool) -> None:
    """A receiver that goes is gone: being connected does not keep it."""
    pool = open_pool()
    calls: list[object] = []

    class Receiver:
        def receive(self, _: object, job: object) -> None:
            calls.append(job)

    receiver = Receiver()
    signals.finished.connect(receiver.receive)
    apply(pool, _noop).value()
    assert pool.join(PATIENCE)
    assert len(calls) == 1
    watched = weakref.ref(receiver)
    del receiver
    gc.collect()
    assert watched() is None
    apply(pool, _noop).value()
    assert pool.join(PATIENCE)
    assert len(calls) == 1


def test_a_pool_is_held_weakly() -> None:
    """Nobody keeps a pool by listening to it."""
    assert not signals.finished.receivers


def test_a_receiver_changes_nothing(open_pool: OpenPool) -> None:
    """What a receiver returns, and what it does to the arguments that it was shown, is no matter to the job."""
    pool = open_pool()
    calls: list[dict[str, Any]] = []

    def target(**kwargs: Any) -> None:
        calls.append(kwargs)

    def meddle(_: object, job: object, target: object, args: object, kwargs: dict[str, Any]) -> str:
        kwargs["meddled"] = True
        return "ignored"

    with signals.apply.connected_to(meddle):
        pool.apply_async(target).result(PATIENCE)
        pool.apply_async(target, (), {"key": "word"}).result(PATIENCE)
    pool.apply_async(target).result(PATIENCE)
    assert calls == [{}, {"key": "word"}, {}]


def test_a_receiver_may_ask_the_pool(open_pool: OpenPool) -> None:
    """``info`` shows the job that is being accepted; a receiver of ``finished`` may submit the next one."""
    pool = open_pool()
    running: list[Any] = []
    done = pool.new_event()

    def on_accepted(sender: BasePool, job: Any) -> None:
        running.append([entry["job"] for entry in sender.info["running"]] == [job.id])

    def on_finished(sender: BasePool, job: Any) -> None:
        if len(running) < 5:
            sender.apply_async(_noop)
        else:
            done.set()

    with signals.accepted.connected_to(on_accepted), signals.finished.connected_to(on_finished):
        pool.apply_async(_noop)
        assert done.wait(PATIENCE)
        assert pool.join(PATIENCE)
    assert running == [True] * 5


def test_nobody_listens(open_pool: OpenPool) -> None:
    """Without receivers nothing is sent: a signal costs one attribute test then."""
    pool = open_pool()
    sent: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals, "emit", lambda *args, **_: sent.append(args))
        apply(pool, _noop).value()
        apply(pool, divmod, 1, 0).error()
        assert pool.join(PATIENCE)
    assert sent == []


def test_a_muted_signal(open_pool: OpenPool) -> None:
    """What the program mutes is not sent."""
    pool = open_pool()
    listener = Listener()
    with listener.connected("finished"):
        with signals.finished.muted():
            apply(pool, _noop).value()
            assert pool.join(PATIENCE)
        assert listener.events == []
        apply(pool, _noop).value()
        assert pool.join(PATIENCE)
        assert listener.names == ["finished"]
