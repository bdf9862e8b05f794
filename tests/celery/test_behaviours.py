"""What workers do on each of our pools, with Redis; the same is beside Celery's own pools in the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.celery.behaviours import ALONE, TOGETHER, WORKS, concurrency
from tests.celery.brokers import empty_databases
from tests.celery.lab import Lab

POOLS = ("prefork", "threads", "gevent", "eventlet", "solo")

#: What a pool does not do. On solo nothing else happens while a task runs; on pools of greenlets, while one computes.
BUT = {
    ("solo", "revoke_waiting"): "ignored",
    ("solo", "revoke_computing"): "ignored",
    ("solo", "ping_while_busy"): "answered",
    ("solo", "ping_while_computing"): "answered",
    ("solo", "grows"): "refused",
    ("solo", "shrinks"): "refused",
    **{
        (pool, behaviour): word
        for pool in ("gevent", "eventlet")
        for behaviour, word in (("revoke_computing", "ignored"), ("ping_while_computing", "answered"))
    },
}

#: What takes a worker of its own, on the pools where it differs from what was seen on another.
ON_THEIR_OWN = {
    "prefork": list(ALONE),
    "threads": [b for b in ALONE if b.__name__ in ("drains", "cold_shutdown", "redelivers", "many_at_once")],
    "gevent": [b for b in ALONE if b.__name__ in ("drains", "cold_shutdown", "redelivers", "many_at_once")],
    "eventlet": [b for b in ALONE if b.__name__ in ("cold_shutdown", "redelivers")],
    "solo": [b for b in ALONE if b.__name__ in ("drains", "cold_shutdown")],
}


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A worker on the pool that the parameter names."""
    pool = request.param
    broker, backend = empty_databases(redis_url, 0)
    made = Lab(tmp_path_factory.mktemp(pool), broker, backend, pool, *concurrency(pool))
    yield made.wait_until_up()
    made.close()


def _cases() -> list[Any]:
    cases = []
    for pool in POOLS:
        for behaviour in TOGETHER:
            name = behaviour.__name__
            marks = [pytest.mark.xdist_group(f"celery-{pool}")]
            expected = BUT.get((pool, name), WORKS)
            cases.append(pytest.param(pool, behaviour, expected, id=f"{pool}-{name}", marks=marks))
    return cases


@pytest.mark.parametrize(("lab", "behaviour", "expected"), _cases(), indirect=["lab"])
def test_a_worker(lab: Lab, behaviour: Callable[[Lab], str], expected: str) -> None:
    # What is not done need not be waited for.
    lab.soon = Lab.soon if expected == WORKS else 2.0
    assert expected in behaviour(lab), lab.log.read_text()[-5000:]


@pytest.mark.parametrize(
    ("pool", "behaviour"),
    [pytest.param(pool, b, id=f"{pool}-{b.__name__}") for pool, found in ON_THEIR_OWN.items() for b in found],
)
def test_a_worker_of_its_own(pool: str, behaviour: Callable[[Lab], str], redis_url: str, tmp_path: Path) -> None:
    broker, backend = empty_databases(redis_url, 2)
    made = Lab(tmp_path, broker, backend, pool, *(ALONE[behaviour] or concurrency(pool)))
    try:
        assert behaviour(made.wait_until_up()) == WORKS, made.log.read_text()[-5000:]
    finally:
        made.close()
