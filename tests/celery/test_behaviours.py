"""What workers do on each of our pools, with Redis; the same is beside Celery's own pools in the documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.celery import behaviours as b
from tests.celery.behaviours import WORKS, concurrency
from tests.celery.brokers import empty_databases
from tests.celery.lab import Lab

Behaviour = Callable[[Lab], str]

#: What the one worker of each pool is put through; on eventlet and solo, what may differ there from gevent and threads.
TOGETHER: dict[str, tuple[Behaviour, ...]] = {
    # The children that it loses are replaced.
    "prefork": (b.lost_by_exit, b.lost_by_kill, b.lost_by_segfault, b.rejected_when_lost, *b.TOGETHER),
    "threads": b.TOGETHER,
    "gevent": b.TOGETHER,
    "eventlet": (
        b.hard_limit_waiting,
        b.soft_limit_computing,
        b.revoke_waiting,
        b.revoke_computing,
        b.ping_while_computing,
        b.sys_exit,
        b.eta,
        b.grows,
        b.drains,
    ),
    "solo": (
        b.hard_limit_waiting,
        b.soft_limit_computing,
        b.sys_exit,
        b.revoke_waiting,
        b.revoked_while_it_waits,
        b.ping_while_busy,
        b.ping_while_computing,
        b.grows,
        b.restarts,
        b.drains,
    ),
}

#: What a pool does not do.
BUT = {
    ("solo", "revoke_waiting"): "refused",
    ("solo", "grows"): "refused",
}

#: What takes a worker of its own, and with which options.
ALONE: dict[str, dict[Behaviour, tuple[str, ...]]] = {
    "prefork": {
        b.cold_shutdown: (),
        b.redelivers: (),
        b.leaves_no_orphans: (),
        b.recycles_by_memory: b.ALONE[b.recycles_by_memory],
        # As many processes as two cores start in a while; the table has 500.
        b.many_at_once: ("-c", "50", "--prefetch-multiplier", "1"),
    },
    "threads": {b.cold_shutdown: (), b.many_at_once: b.ALONE[b.many_at_once]},
    "gevent": {b.cold_shutdown: (), b.redelivers: (), b.many_at_once: b.ALONE[b.many_at_once]},
    "eventlet": {b.cold_shutdown: ()},
    "solo": {b.cold_shutdown: ()},
}


@pytest.fixture(scope="module")
def lab_of(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lab]]:
    """Gives the worker on a pool: the one that the last test had, if it is there still and that was its pool."""
    made: list[Lab] = []

    def lab_of(pool: str) -> Lab:
        if made and made[-1].pool == pool and made[-1].process.poll() is None:
            return made[-1]
        close()
        broker, backend = empty_databases(redis_url, 0)
        made.append(Lab(tmp_path_factory.mktemp(pool), broker, backend, pool, *concurrency(pool)))
        return made[-1].wait_until_up()

    def close() -> None:
        while made:
            made.pop().close()

    yield lab_of
    close()


def _cases() -> list[Any]:
    cases = []
    for pool, behaviours in TOGETHER.items():
        for behaviour in behaviours:
            name = behaviour.__name__
            marks = [pytest.mark.xdist_group(f"celery-{pool}")]
            expected = BUT.get((pool, name), WORKS)
            cases.append(pytest.param(pool, behaviour, expected, id=f"{pool}-{name}", marks=marks))
    return cases


@pytest.mark.parametrize(("pool", "behaviour", "expected"), _cases())
def test_a_worker(pool: str, behaviour: Behaviour, expected: str, lab_of: Callable[[str], Lab]) -> None:
    lab = lab_of(pool)
    # What is not done need not be waited for.
    lab.soon = Lab.soon if expected == WORKS else 2.0
    assert expected in behaviour(lab), lab.log.read_text()[-5000:]


@pytest.mark.parametrize(
    ("pool", "behaviour", "options"),
    [
        pytest.param(pool, behaviour, options or concurrency(pool), id=f"{pool}-{behaviour.__name__}")
        for pool, found in ALONE.items()
        for behaviour, options in found.items()
    ],
)
def test_a_worker_of_its_own(
    pool: str, behaviour: Behaviour, options: Sequence[str], redis_url: str, tmp_path: Path
) -> None:
    broker, backend = empty_databases(redis_url, 2)
    made = Lab(tmp_path, broker, backend, pool, *options)
    try:
        assert behaviour(made.wait_until_up()) == WORKS, made.log.read_text()[-5000:]
    finally:
        made.close()
