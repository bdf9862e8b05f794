"""Point 14: nothing is ignored. What a pool cannot do, and what has no meaning, is refused when it is asked for."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

import pools
from pools.errors import PoolsError, PoolStateError, UnsupportedError
from pools.spec import Traits
from tests.contract.conftest import OpenPool
from tests.contract.records import PATIENCE, apply, busy


def _noop() -> None:
    pass


@pytest.mark.parametrize("option", ["max_task_per_child", "time_limit", "Timeout", "concurency"])
def test_an_unknown_option(pool_name: str, option: str) -> None:
    """No option vanishes: the error names the pool and the option."""
    options: dict[str, Any] = {option: 1}
    with pytest.raises(UnsupportedError, match=f"^pool {pool_name} has no option '{option}'$"):
        pools.open(pool_name, 1, **options)


#: What each trait rules out, where a pool lacks it; that it works where a pool has it is what the other points test.
RULED_OUT: dict[str, tuple[Any, str]] = {
    "soft_timeout": (lambda pool: pool.apply_async(_noop, soft_timeout=1.0), "has no soft limits"),
    "hard_timeout": (lambda pool: pool.apply_async(_noop, timeout=1.0), "has no hard limits"),
    "terminate": (lambda pool: pool.terminate_job(1), "cannot end a job that runs"),
    "resize": (lambda pool: pool.shrink(), "cannot shrink while it runs"),
}


@pytest.mark.parametrize("trait", RULED_OUT)
def test_a_call_that_a_trait_rules_out(open_pool: OpenPool, traits: Traits, trait: str) -> None:
    """The error names the pool, what it cannot do, and the trait."""
    if getattr(traits, trait):
        pytest.skip(f"the pool has the trait {trait}")
    pool = open_pool()
    call, what = RULED_OUT[trait]
    with pytest.raises(UnsupportedError, match=rf"^pool {pool.name} {what} \(trait {trait} is (False|None)\)$"):
        call(pool)
    assert apply(pool, divmod, 7, 2).value() == (3, 1)


def test_a_job_that_cannot_be_ended(open_pool: OpenPool, traits: Traits) -> None:
    """Where running jobs cannot be terminated, ``job.terminate()`` says so, and the job goes on."""
    if traits.terminate:
        pytest.skip("the pool has the trait terminate")
    pool = open_pool()
    with busy(pool) as (record,):
        (entry,) = pool.info["running"]
        with pytest.raises(UnsupportedError, match=r"\(trait terminate is False\)$"):
            pool.terminate_job(entry["slot_id"])
    record.value()
    errors: list[BaseException] = []

    def ask() -> None:
        job = pools.current_job()
        assert job is not None
        try:
            job.terminate()
        except UnsupportedError as error:
            errors.append(error)

    pool.apply_async(ask).result(PATIENCE)
    assert [str(error) for error in errors] == [
        f"pool {pool.name} cannot end a job that runs (trait terminate is False)"
    ]


def test_more_slots_than_the_pool_can_have(pool_name: str, traits: Traits) -> None:
    """The error names the number and the trait."""
    most = traits.max_concurrency
    if most is None:
        pytest.skip("the pool has no most")
    with pytest.raises(
        UnsupportedError,
        match=rf"^pool {pool_name} cannot have {most + 1} slots: at most {most} \(trait max_concurrency is {most}\)$",
    ):
        pools.open(pool_name, most + 1)


#: Options without meaning, and what the error says of them.
MEANINGLESS: list[tuple[dict[str, Any], str]] = [
    ({"max_queued": -1}, "max_queued must be zero or a positive number, not -1"),
    ({"max_queued": 1.5}, "max_queued must be zero or a positive number, not 1.5"),
    ({"max_queued": "3"}, "max_queued must be zero or a positive number, not '3'"),
    ({"when_full": "wait"}, 'when_full must be "block" or "raise", not \'wait\''),
    ({"context": "clone"}, 'context must be "copy" or "empty", not \'clone\''),
    ({"initializer": "setup"}, "initializer must be something to call, not 'setup'"),
    *(
        ({name: value}, f"{name} must be a positive number of seconds, not {value!r}")
        for name in ("soft_timeout", "timeout")
        for value in (0, 0.0, -1, -0.5, math.nan, "3")
    ),
]


@pytest.mark.parametrize(("options", "message"), MEANINGLESS)
def test_an_option_without_meaning(pool_name: str, options: dict[str, Any], message: str) -> None:
    """The error names the option and the value."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pools.open(pool_name, 1, **options)


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "4", "many", True, math.inf])
def test_a_concurrency_without_meaning(pool_name: str, concurrency: Any) -> None:
    """Only a positive number or ``"auto"``."""
    with pytest.raises(
        ValueError, match=f'^concurrency must be a positive number or "auto", not {re.escape(repr(concurrency))}$'
    ):
        pools.open(pool_name, concurrency)


@pytest.mark.parametrize("value", [0, -1, math.nan, "3"])
@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_a_limit_without_meaning(open_pool: OpenPool, limit: str, value: Any) -> None:
    """A job with such a limit is not taken."""
    pool = open_pool()
    called: list[object] = []
    options: dict[str, Any] = {limit: value}
    with pytest.raises(
        ValueError, match=f"^{limit} must be a positive number of seconds, not {re.escape(repr(value))}$"
    ):
        pool.apply_async(called.append, (1,), **options)
    assert pool.join(PATIENCE)
    assert called == []
    assert sum(pool.stats["jobs"].values()) == 0


@pytest.mark.needs("resize")
@pytest.mark.parametrize("n", [0, -1, 1.5, "1"])
def test_a_resize_without_meaning(open_pool: OpenPool, n: Any) -> None:
    """A pool grows and shrinks by a positive number of slots, and keeps one."""
    pool = open_pool(3)
    for call in ("grow", "shrink"):
        with pytest.raises(ValueError, match=f"^{call} wants a positive number of slots, not {re.escape(repr(n))}$"):
            getattr(pool, call)(n)
    with pytest.raises(ValueError, match=f"^pool {pool.name} has 3 slots and cannot shrink by 3: one must stay$"):
        pool.shrink(3)
    assert pool.concurrency == 3
    with busy(pool) as records:
        assert len(records) == 3


def test_no_job_to_shield() -> None:
    """``pools.shield()`` outside a job is an error."""
    with pytest.raises(PoolsError, match="does not run in a job"), pools.shield():
        pass


@pytest.mark.parametrize("call", ["apply_async", "submit", "map", "grow", "shrink", "restart"])
def test_a_call_that_the_state_forbids(open_pool: OpenPool, traits: Traits, call: str) -> None:
    """The error names the pool, its state and the call."""
    if call in ("grow", "shrink") and not traits.resize:
        pytest.skip("the pool has the size that it has")
    args: dict[str, tuple[Any, ...]] = {"apply_async": (_noop,), "submit": (_noop,), "map": (abs, [1, 2])}
    called = call if call in ("grow", "shrink", "restart") else "apply_async"
    pool = open_pool()
    pool.close()
    for state in ("closing", "stopped"):
        with pytest.raises(PoolStateError, match=rf"^pool {pool.name} is {state}, which forbids {called}\(\): "):
            getattr(pool, call)(*args.get(call, ()))
        pool.stop()
