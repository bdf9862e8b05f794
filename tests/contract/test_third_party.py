"""A pool of a third party has the whole face of our own, from about twenty lines, and no entry point."""

from __future__ import annotations

import inspect
import json
import operator
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pools
from pools import BasePool, signals
from pools.errors import Cancelled, PluginError, PoolFullError, PoolStateError, UnsupportedError
from pools.states import PoolState
from pools.testing.leftovers import holdings, leftovers
from tests.contract import strangers
from tests.contract.records import PATIENCE, Record
from tests.patched import ROOT

CLASSES: list[type[BasePool]] = [strangers.ThreadPerJob, strangers.OnExecutor, strangers.Elsewhere]


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.name)
def cls(request: pytest.FixtureRequest) -> type[BasePool]:
    """One of the strangers' pools."""
    found: type[BasePool] = request.param
    return found


def _reference(cls: type[BasePool]) -> str:
    return f"{cls.__module__}:{cls.__name__}"


@pytest.fixture
def stranger(cls: type[BasePool]) -> Iterator[BasePool]:
    """The pool, opened by its reference with two slots; nothing may be left of it."""
    before = holdings()
    pool = pools.open(_reference(cls), 2)
    yield pool
    pool.stop()
    assert leftovers(before) == ""


def _apply(pool: BasePool, target: Any, *args: Any) -> Record:
    # What runs elsewhere is known there by its name, so a test's own functions will not do.
    record = Record(pool)
    options: Any = record.callbacks()
    record.job = pool.apply_async(target, args, **options)
    return record


def test_about_twenty_lines(cls: type[BasePool]) -> None:
    """Less what is empty and what documents."""
    lines = [line for line in inspect.getsource(cls).splitlines() if line.strip() and '"""' not in line]
    assert len(lines) <= 21


def test_its_declaration(cls: type[BasePool]) -> None:
    """The class says what a plugin would declare for it."""
    spec = pools.spec(_reference(cls))
    assert (spec.name, spec.traits, spec.summary) == (cls.name, cls.traits, (cls.__doc__ or "").partition("\n")[0])


def test_values_and_errors(stranger: BasePool) -> None:
    """Points 1, 2 and 11."""
    good, bad = _apply(stranger, operator.add, 1, 2), _apply(stranger, operator.truediv, 1, 0)
    assert good.value() == 3
    assert isinstance(bad.error(), ZeroDivisionError)
    for record in (good, bad):
        record.check()
        assert record.kinds[0] == "accepted"
    assert stranger.join(PATIENCE)
    assert stranger.stats["jobs"] == {
        "cancelled": 0,
        "failed": 1,
        "lost": 0,
        "succeeded": 1,
        "terminated": 0,
        "timed_out": 0,
    }


def test_futures_and_maps(stranger: BasePool) -> None:
    """What the base class gives."""
    assert stranger.submit(operator.mul, 6, 7).result(PATIENCE) == 42
    assert list(stranger.map(operator.neg, range(4), buffersize=2)) == [0, -1, -2, -3]


def test_so_many_at_once(stranger: BasePool, tmp_path: Path) -> None:
    """Point 8: two jobs run, a third one waits and can be cancelled; ``info`` says so."""
    busy = tmp_path / "busy"
    busy.touch()
    running = [_apply(stranger, strangers.while_there, busy) for _ in range(2)]
    for record in running:
        record.accepted()
    waiting = stranger.apply_async(operator.neg, (1,))
    info = json.loads(json.dumps(stranger.info))
    assert {entry["job"] for entry in info["running"]} == {record.job.id for record in running}
    assert info["waiting"] == 1
    assert waiting.cancel()
    with pytest.raises(Cancelled):
        waiting.result(PATIENCE)
    busy.unlink()
    for record in running:
        assert record.value() is None


def test_backpressure(cls: type[BasePool], tmp_path: Path) -> None:
    """Point 9."""
    busy = tmp_path / "busy"
    busy.touch()
    with pools.open(_reference(cls), 1, putlocks=True, when_full="raise") as pool:
        record = _apply(pool, strangers.while_there, busy)
        record.accepted()
        with pytest.raises(PoolFullError):
            pool.apply_async(operator.neg, (1,))
        busy.unlink()
        record.value()
        assert pool.join(PATIENCE)
        assert pool.apply_async(operator.neg, (1,)).result(PATIENCE) == -1


def test_its_life(stranger: BasePool) -> None:
    """Point 4: what was taken is done, and the pool can be started anew."""
    jobs = [stranger.apply_async(operator.neg, (number,)) for number in range(4)]
    stranger.stop()
    assert [job.result() for job in jobs] == [0, -1, -2, -3]
    with pytest.raises(PoolStateError):
        stranger.apply_async(operator.neg, (1,))
    stranger.start()
    assert stranger.apply_async(operator.neg, (1,)).result(PATIENCE) == -1
    stranger.terminate()
    assert stranger.state is PoolState.STOPPED


def test_its_signals(stranger: BasePool) -> None:
    """They are the base class's as well."""
    seen: list[str] = []

    def receive(_: object, **event: Any) -> None:
        seen.append(",".join(sorted(event)))

    with (
        signals.apply.connected_to(receive, sender=stranger),
        signals.accepted.connected_to(receive, sender=stranger),
        signals.finished.connected_to(receive, sender=stranger),
    ):
        stranger.apply_async(operator.neg, (1,)).result(PATIENCE)
        assert stranger.join(PATIENCE)
    assert seen == ["args,job,kwargs,target", "job", "job"]


def test_what_it_does_not_declare(cls: type[BasePool]) -> None:
    """Point 14: a trait that is not declared is refused, without a line of the pool's own."""
    reference = _reference(cls)
    for trait, options in (
        ("soft_timeout", {"soft_timeout": 1.0}),
        ("hard_timeout", {"timeout": 1.0}),
        ("initializer", {"initializer": time.time}),
        ("context", {"context": "copy"}),
    ):
        opened: Any = options
        if getattr(cls.traits, trait):
            pools.open(reference, 1, **opened).stop()
        else:
            with pytest.raises(UnsupportedError, match=rf"^pool {cls.name} .*\(trait {trait} is "):
                pools.open(reference, 1, **opened)
    with pools.open(reference, 1) as pool:
        with pytest.raises(UnsupportedError, match=rf"^pool {cls.name} .*\(trait terminate is False\)$"):
            pool.terminate_job(1)
        if cls.traits.resize:
            pool.grow()
            assert pool.concurrency == 2
        else:
            with pytest.raises(UnsupportedError, match=rf"^pool {cls.name} .*\(trait resize is False\)$"):
                pool.grow()
    most = cls.traits.max_concurrency
    if most is not None:
        with pytest.raises(UnsupportedError, match=rf"at most {most} "):
            pools.open(reference, most + 1)


def test_an_argument_that_cannot_go_there() -> None:
    """Point 7: what ``on_apply`` raises is the job's outcome, and the next job runs."""
    with pools.open(_reference(strangers.Elsewhere), 1) as pool:
        record = _apply(pool, operator.neg, (number for number in range(3)))
        assert "cannot pickle 'generator' object" in str(record.error())
        record = _apply(pool, os._exit, 3)
        assert str(record.error()) == "python ended with exit code 3"
        assert _apply(pool, operator.neg, 1).value() == -1


def test_a_custom_pool(cls: type[BasePool], monkeypatch: pytest.MonkeyPatch) -> None:
    """``POOLS_CUSTOM_POOL`` gives it the name ``custom``."""
    monkeypatch.setenv("POOLS_CUSTOM_POOL", _reference(cls))
    with pools.open("custom", 1) as pool:
        assert type(pool) is cls


@pytest.mark.parametrize(
    "reference", ["tests.contract.strangers:Job", "tests.contract.strangers:None_", "nowhere:Pool"]
)
def test_a_reference_to_no_pool(reference: str) -> None:
    """The error has the reference and what is wrong with it."""
    with pytest.raises(PluginError, match=f"^pool {reference}: "):
        pools.open(reference)


def test_on_the_command_line(cls: type[BasePool], tmp_path: Path) -> None:
    """``pools run -P module:Class``."""
    lines = tmp_path / "lines"
    lines.write_text('3\n-4\n"four"\n')
    command = [sys.executable, "-m", "pools", "run", "operator:neg", "-P", _reference(cls), "-c", "2", "--json"]
    done = subprocess.run(
        [*command, "--input", str(lines)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    records = sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda record: int(record["line"]))
    assert [(record["input"], record["outcome"], record.get("result")) for record in records] == [
        (3, "succeeded", -3),
        (-4, "succeeded", 4),
        ("four", "failed", None),
    ]
    assert records[2]["error"]["type"] == "TypeError"
