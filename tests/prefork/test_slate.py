"""The slate: no job is both run and taken back, and none is neither."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from pools_prefork.slate import Slate
from tests.prefork.racing import DEALT, LET_GO, MEMORY, MOST, OVER, RAN, SENT, Board

ROOT = Path(__file__).parents[2]
#: Seconds that the race lasts.
SECONDS = 2.0


@pytest.fixture
def memory() -> Iterator[int]:
    memory = os.memfd_create("slate")
    os.ftruncate(memory, MEMORY)
    yield memory
    os.close(memory)


@pytest.fixture
def sides(memory: int) -> Iterator[tuple[Slate, Slate]]:
    """The host's slate and the child's."""
    host, child = Slate(memory), Slate(memory)
    yield host, child
    host.close()
    child.close()


def test_what_is_claimed_is_seen_with_its_time(sides: tuple[Slate, Slate]) -> None:
    host, child = sides
    assert (host.claimed(), host.begun()) == (0, (0, 0.0))
    for position in range(1, 10):
        assert child.claim(position, position / 8)
        assert (host.claimed(), host.begun()) == (position, (position, position / 8))


def test_what_is_revoked_is_claimed_and_not_begun(sides: tuple[Slate, Slate]) -> None:
    host, child = sides
    assert child.claim(1, 1.0)
    assert host.revoke(3, 6) == 1
    assert child.claim(2, 2.0)
    assert not child.claim(3, 3.0)
    assert child.revoked_to() == 6
    assert (host.claimed(), host.begun()) == (3, (2, 2.0))
    assert child.claim(6, 6.0)
    assert host.begun() == (6, 6.0)


def test_more_is_revoked_while_what_is_behind_it_stays_revoked(sides: tuple[Slate, Slate]) -> None:
    host, child = sides
    host.revoke(4, 6)
    host.revoke(2, 6)
    assert [child.claim(position, 0.0) for position in range(1, 7)] == [True, False, False, False, False, True]
    host.revoke(8, 9)
    assert [child.claim(position, 0.0) for position in range(7, 10)] == [True, False, True]


def test_limits_and_requests_name_their_job(sides: tuple[Slate, Slate]) -> None:
    host, child = sides
    host.set_soft_limit_passed(3)
    host.set_cancel_requested(4)
    assert [child.soft_limit_passed(position) for position in (2, 3, 4)] == [False, True, False]
    assert [child.cancel_requested(position) for position in (3, 4, 5)] == [False, True, False]


def test_revocations_race_against_claims(memory: int) -> None:
    processors = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "tests.prefork.racing", str(memory), str(processors[-1])]
    child = subprocess.Popen(command, cwd=ROOT, pass_fds=[memory])
    slate, board = Slate(memory), Board(memory)
    try:
        # Two who share a processor do not race.
        os.sched_setaffinity(0, {processors[0]})
        races = race(slate, board)
    finally:
        os.sched_setaffinity(0, processors)
        board.words[OVER] = 1
        child.wait()
        board.close()
        slate.close()
    assert child.returncode == 0
    assert races > 0


def race(slate: Slate, board: Board) -> int:
    """Send and revoke, over and over; returns how often."""
    words, outcomes = board.words, board.outcomes
    generator = random.Random(3)
    give_up_at = monotonic() + SECONDS
    races = sent = 0
    while monotonic() < give_up_at and sent + 10 < MOST:
        start, sent = sent, sent + generator.randint(1, 5)
        first = generator.randint(start + 1, sent)
        words[SENT] = sent
        for _ in range(generator.randint(0, 30)):
            pass
        claimed = slate.revoke(first, sent + 1)
        while words[DEALT] < sent:
            pass
        # The host has back what is behind both; the child decides of one that it had claimed, and runs those before it.
        found = list(outcomes[start + 1 : sent + 1])
        assert set(found) <= {RAN, LET_GO}
        for position, outcome in enumerate(found, start + 1):
            if position > max(first - 1, claimed):
                assert outcome == LET_GO
            elif position < max(first, claimed):
                assert outcome == RAN
        ran = start + found.count(RAN)
        assert slate.begun()[0] == ran or ran == start
        races += 1
    return races
