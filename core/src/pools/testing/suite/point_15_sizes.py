"""Point 15: ``concurrency="auto"`` means the processors that this process may use."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pools import stats
from pools.spec import Traits
from pools.testing.fixtures import OpenPool
from pools.testing.pool_under_test import PoolUnderTest
from pools.testing.records import busy

AUTO = [None, "auto"]


def _most(traits: Traits, wanted: int) -> int:
    return wanted if traits.max_concurrency is None else min(wanted, traits.max_concurrency)


@pytest.mark.parametrize("concurrency", AUTO)
def test_auto(open_pool: OpenPool, subject: PoolUnderTest, traits: Traits, concurrency: Any) -> None:
    """By default and in so many words; never more than the pool can have; and so many jobs run."""
    expected = _most(traits, stats.processors())
    pool = open_pool(concurrency)
    assert pool.concurrency == expected
    assert pool.info["concurrency"] == expected
    with busy(pool) as records:
        assert len({record.accepted()[0] for record in records}) == expected


@pytest.mark.parametrize("concurrency", AUTO)
def test_auto_honours_affinity(open_pool: OpenPool, concurrency: Any) -> None:
    """A process that may use one processor gets one slot, however many the host has."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert open_pool(concurrency).concurrency == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("concurrency", AUTO)
def test_auto_honours_the_quota(
    open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch, traits: Traits, concurrency: Any
) -> None:
    """So does one of a group whose quota is one processor."""
    monkeypatch.setattr(stats, "cgroup_quota", lambda *_: 1)
    assert open_pool(concurrency).concurrency == 1


def test_what_was_asked_for(open_pool: OpenPool, traits: Traits) -> None:
    """A number is taken as it is, whatever the machine has, and so many jobs run at once."""
    wanted = _most(traits, stats.processors() + 2)
    pool = open_pool(wanted)
    assert pool.concurrency == wanted
    with busy(pool) as records:
        assert len({record.accepted()[0] for record in records}) == wanted
