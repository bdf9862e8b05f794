"""Point 14: nothing is ignored. What a pool declares works; what it does not, and what has no meaning, is refused when
it is asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from pools import BasePool
from pools.errors import (
    BrokenPoolError,
    PoolStateError,
    SoftTimeLimitExceeded,
    Terminated,
    TimeLimitExceeded,
    UnsupportedError,
)
from pools.spec import Traits
from pools.testing import targets
from pools.testing.fixtures import OpenPool
from pools.testing.gates import Log
from pools.testing.history import patience
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import apply, busy, launch
from pools.testing.waiting import eventually

# -- Traits, in both directions ----------------------------------------------------------------------------------------


def _soft_timeout(pool: BasePool) -> None:
    assert isinstance(apply(pool, targets.spend, patience(), soft_timeout=0.05).error(), SoftTimeLimitExceeded)


def _hard_timeout(pool: BasePool) -> None:
    assert isinstance(apply(pool, targets.spend, patience(), timeout=0.05).error(), TimeLimitExceeded)


def _terminate(pool: BasePool) -> None:
    log = Log()
    record = launch(pool, targets.beat, log.path, targets.GIVE_UP)
    slot_id, _ = record.accepted()
    assert pool.terminate_job(slot_id)
    assert isinstance(record.error(), Terminated)
    assert eventually(lambda: not log.grows(0.3)), "a job that was terminated goes on"


def _resize(pool: BasePool) -> None:
    with busy(pool):
        pool.grow()
        assert launch(pool, targets.double, 4).value() == 8
        pool.shrink()
    assert pool.concurrency == 1


def _context(pool: BasePool) -> None:
    from contextvars import ContextVar

    variable = ContextVar("variable", default="not seen")
    variable.set("seen")
    assert pool.apply_async(variable.get).result(patience()) == "seen"


#: Of each trait: what it promises, and calls that ask for it, of which each is refused where it is not declared.
PROMISES: dict[str, tuple[Callable[[BasePool], None], list[Callable[[BasePool], object]]]] = {
    "soft_timeout": (_soft_timeout, [lambda pool: pool.apply_async(int, soft_timeout=1.0)]),
    "hard_timeout": (_hard_timeout, [lambda pool: pool.apply_async(int, timeout=1.0)]),
    "terminate": (_terminate, [lambda pool: pool.terminate_job(1)]),
    "resize": (_resize, [lambda pool: pool.grow(), lambda pool: pool.shrink()]),
    "context": (_context, []),
}

#: Of each trait: the options that it rules out where a pool does not declare it.
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "soft_timeout": [{"soft_timeout": 1.0}],
    "hard_timeout": [{"timeout": 1.0}],
    "context": [{"context": "copy"}],
    "initializer": [{"initializer": targets.pid}],
}


@pytest.mark.parametrize("trait", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROMISES])
def test_what_is_declared_works(one: BasePool, trait: str) -> None:
    """And is not refused."""
    PROMISES[trait][0](one)
    assert apply(one, targets.double, 4).value() == 8


@pytest.mark.parametrize("trait", [pytest.param(name, marks=pytest.mark.lacks(name)) for name in PROMISES])
def test_a_call_that_is_not_declared(one: BasePool, trait: str) -> None:
    """It is refused at once, naming pool and trait, and changes nothing."""
    for call in PROMISES[trait][1]:
        with pytest.raises(UnsupportedError, match=rf"{one.name}.*trait {trait}"):
            call(one)
    assert apply(one, targets.double, 4).value() == 8
    assert one.concurrency == 1


@pytest.mark.parametrize("trait", [pytest.param(name, marks=pytest.mark.lacks(name)) for name in OPTIONS])
def test_an_option_that_is_not_declared(subject: PoolUnderTest, trait: str) -> None:
    """The same, when a pool is opened with it."""
    for options in OPTIONS[trait]:
        with pytest.raises(UnsupportedError, match=rf"{subject.pool_name}.*trait {trait}"):
            subject.open(1, **options).stop()


@pytest.mark.lacks("terminate")
def test_a_job_that_cannot_be_ended(one: BasePool) -> None:
    """``job.terminate()`` of a job that runs says so, and the job goes on."""
    with busy(one) as (record,), pytest.raises(UnsupportedError, match=rf"{one.name}.*trait terminate"):
        record.job.terminate()
    assert record.value() is None


def test_more_slots_than_declared(subject: PoolUnderTest, traits: Traits) -> None:
    """A pool of which ``max_concurrency`` is declared can have that many, and no more."""
    most = traits.max_concurrency
    if most is None:
        return  # it can have any number
    with subject.open(most) as pool:
        assert pool.concurrency == most
    with pytest.raises(UnsupportedError, match=rf"{subject.pool_name}.*trait max_concurrency"):
        subject.open(most + 1).stop()


# -- The initializer ---------------------------------------------------------------------------------------------------


@pytest.mark.needs("initializer")
def test_the_initializer(open_pool: OpenPool, several: int) -> None:
    """It is called in each slot, with its arguments, before the first job there."""
    log = Log()
    pool = open_pool(several, initializer=targets.note, initargs=(log.path, "begins"))
    with busy(pool):
        assert log.lines == ["begins"] * several, "the initializer is called once in each slot"


@pytest.mark.long
@pytest.mark.needs("initializer")
def test_an_initializer_that_raises(subject: PoolUnderTest) -> None:
    """The pool is broken: jobs fail with, or are refused with ``BrokenPoolError``, whose cause is what it raised."""
    log = Log()
    pool = subject.open(1, initializer=targets.fail_to_begin, initargs=(log.path,))
    try:
        error = pool.apply_async(targets.give, (1,)).exception(patience())
    except BrokenPoolError as refused:
        error = refused
    assert isinstance(error, BrokenPoolError)
    assert "no settings" in f"{error} {error.__cause__!r}"

    def is_refused() -> bool:
        try:
            pool.apply_async(targets.give, (1,)).wait(patience())
        except BrokenPoolError:
            return True
        return False

    assert eventually(is_refused), "a broken pool takes jobs"
    pool.terminate()


# -- What has no meaning -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["max_task_per_child", "time_limit", "Timeout", "concurency"])
def test_an_unknown_option(subject: PoolUnderTest, option: str) -> None:
    """No option vanishes: the error names the pool and the option."""
    options: dict[str, Any] = {option: 1}
    with pytest.raises(UnsupportedError, match=rf"{subject.pool_name}.*'{option}'"):
        subject.open(1, **options).stop()


@pytest.mark.parametrize("argument", ["time_limit", "priority", "call_back"])
def test_an_unknown_argument_of_a_job(one: BasePool, argument: str) -> None:
    """The same of ``apply_async``."""
    options: dict[str, Any] = {argument: 1}
    with pytest.raises(TypeError, match=argument):
        one.apply_async(int, **options)


#: Options without meaning.
MEANINGLESS: list[tuple[str, Any]] = [
    ("max_queued", -1),
    ("max_queued", 1.5),
    ("max_queued", "3"),
    ("when_full", "wait"),
    ("context", "clone"),
    ("initializer", "setup"),
    *((name, value) for name in ("soft_timeout", "timeout") for value in (0, -1, math.nan, "3")),
]


@pytest.mark.parametrize(("option", "value"), MEANINGLESS)
def test_an_option_without_meaning(subject: PoolUnderTest, option: str, value: Any) -> None:
    """The error names the option and the value; or the trait, where the pool does not take it at all."""
    with pytest.raises((ValueError, UnsupportedError), match=option):
        subject.open(1, **{option: value}).stop()


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4", "many", True, math.inf])
def test_a_concurrency_without_meaning(subject: PoolUnderTest, concurrency: Any) -> None:
    """Only a positive number or ``"auto"``."""
    with pytest.raises(ValueError, match=f"concurrency.*{re.escape(repr(concurrency))}"):
        subject.open(concurrency).stop()


# -- What ends otherwise than it was asked to --------------------------------------------------------------------------


@pytest.mark.needs("hard_timeout")
@pytest.mark.parametrize("target", [targets.compute_in_c, targets.compute, targets.spend])
def test_a_job_whose_limit_passed_never_succeeds(one: BasePool, target: Any) -> None:
    """Whatever it was doing when it passed."""
    argument = 3_000_000 if target is targets.compute_in_c else 0.5
    assert isinstance(apply(one, target, argument, timeout=0.01).error(), TimeLimitExceeded)


def test_a_call_that_the_state_forbids(open_pool: OpenPool, traits: Traits) -> None:
    """The error names the pool and its state."""
    pool = open_pool()
    calls: list[Callable[[], object]] = [
        lambda: pool.apply_async(int),
        lambda: pool.submit(int),
        lambda: pool.map(abs, [1, 2]),
        pool.restart,
    ]
    if traits.resize:
        calls += [pool.grow, pool.shrink]
    pool.close()
    for state in ("closing", "stopped"):
        for call in calls:
            with pytest.raises(PoolStateError, match=rf"{pool.name}.*{state}"):
                call()
        pool.stop()
