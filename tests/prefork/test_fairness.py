"""No job waits behind a running one while a child is idle, however many jobs the children were sent at a time."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from pools_prefork.pool import PreforkPool
from tests.contract.records import Record, apply
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import settled
from tests.prefork.targets import echo, hold, spend


def learn(pool: PreforkPool) -> None:
    """Have each child be sent as many jobs at a time as it ever is."""
    for record in [apply(pool, echo, number) for number in range(5000)]:
        record.ended()


def check_all_but(long: list[Record], short: list[Record], release: Path) -> None:
    """Hold all short jobs to it that they end while the long ones run, which go on until a file is there."""
    for number, record in enumerate(short):
        assert record.value() == number
    for record in long:
        assert record.kinds == ["accepted"]
    release.touch()
    for record in long:
        record.value()


@pytest.mark.parametrize("place", [0, 1, 500, 1000])
@pytest.mark.parametrize("learned", [True, False])
def test_one_long_job_and_1000_short_ones(open_pool: OpenPool, tmp_path: Path, place: int, learned: bool) -> None:
    """On 2 children, of which one does all the short ones, wherever the long one comes between them."""
    release = tmp_path / "release"
    pool = open_pool(2)
    if learned:
        learn(pool)
    short = [apply(pool, echo, number) for number in range(place)]
    long = apply(pool, hold, str(release))
    short += [apply(pool, echo, number) for number in range(place, 1000)]
    long.accepted()
    check_all_but([long], short, release)


def test_long_jobs_hidden_in_batches(open_pool: OpenPool, tmp_path: Path) -> None:
    """All children but one run into long jobs in the middle of a batch of short ones."""
    release = tmp_path / "release"
    pool = open_pool(4)
    learn(pool)
    dice = random.Random(1)
    places = set(dice.sample(range(3000), 3))
    long, short = [], []
    for number in range(3000):
        short.append(apply(pool, echo, number))
        if number in places:
            long.append(apply(pool, hold, str(release)))
    check_all_but(long, short, release)


def test_a_long_job_that_a_child_begins_with_others_behind_it(open_pool: OpenPool) -> None:
    """What has been taken back is taken back again from the next child that gets stuck."""
    pool = open_pool(3)
    learn(pool)
    began = time.monotonic()
    records = [apply(pool, spend, 0.3 if number % 40 == 20 else 0.0) for number in range(400)]
    for record in records:
        record.value()
    # 10 long ones on 3 children take 4 turns; had they been left where they were sent, one child had done them all.
    assert time.monotonic() - began < 2.5


def test_each_of_many_long_jobs_has_a_child(open_pool: OpenPool, tmp_path: Path) -> None:
    """As many as there are children run at once, whatever the children have learned of jobs before."""
    pool = open_pool(4)
    learn(pool)
    releases = [tmp_path / str(number) for number in range(4)]
    records = [apply(pool, hold, str(release)) for release in releases]
    for record in records:
        record.accepted()
    assert len({record.job.slot_id for record in records}) == 4
    settled(lambda: len(pool.info["running"]), 4)
    for release, record in zip(releases, records, strict=True):
        release.touch()
        record.value()


def test_jobs_of_one_submitter_begin_in_their_order(open_pool: OpenPool) -> None:
    """On one child they run in it, also if they were taken back meanwhile."""
    pool = open_pool(1)
    learn(pool)
    records = [apply(pool, spend, dice) for dice in [0.0, 0.02, 0.0, 0.0, 0.03, *[0.0] * 200]]
    began = [record.value() for record in records]
    assert began == sorted(began)
