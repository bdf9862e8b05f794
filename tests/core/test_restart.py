"""A job that is being submitted while its pool restarts counts as one job afterwards."""

from __future__ import annotations

import threading

import pytest

import pools
from pools import signals
from pools.errors import PoolFullError

PATIENCE = 20.0


def restart(pool: pools.BasePool, **_: object) -> None:
    """A receiver of the signal ``apply``, which is sent when a job has been let in and is not queued yet."""
    pool.restart()


def test_a_restart_in_the_middle_of_a_submission_lets_no_more_jobs_in() -> None:
    gate = threading.Event()
    with pools.open("threads", 1, max_queued=1, when_full="raise") as pool:
        with signals.apply.connected_to(restart, pool):
            assert pool.submit(abs, -1).result(PATIENCE) == 1
        try:
            waiting = [pool.submit(gate.wait, PATIENCE), pool.submit(abs, -2)]
            with pytest.raises(PoolFullError):
                pool.submit(abs, -3)
        finally:
            gate.set()
        assert [future.result(PATIENCE) for future in waiting] == [True, 2]


def test_a_pool_that_was_resized_lets_in_as_many_after_a_restart() -> None:
    gate = threading.Event()
    with pools.open("threads", 1, max_queued=0, when_full="raise") as pool:
        pool.grow(2)
        pool.shrink(1)
        pool.restart()
        try:
            for _ in range(2):
                pool.submit(gate.wait, PATIENCE)
            with pytest.raises(PoolFullError):
                pool.submit(abs, -3)
        finally:
            gate.set()
