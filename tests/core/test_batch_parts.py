"""The parts of a batch that decide without acting: which lines are done, and how far the run has come."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pools.batch.descriptors import Mailbox
from pools.batch.done import Done
from pools.batch.lines import Lines
from pools.batch.tally import Tally
from pools.states import JobState


@given(st.lists(st.integers(1, 60), unique=True))
def test_done_is_a_set_of_numbers(numbers: list[int]) -> None:
    done = Done()
    for count, number in enumerate(numbers, start=1):
        done.add(number)
        assert [n for n in range(62) if n in done] == sorted(numbers[:count])
        assert done.highest == max(numbers[:count])
    for number in numbers:
        with pytest.raises(ValueError, match=f"{number} is done already"):
            done.add(number)


@given(st.lists(st.text("ab \r\x00é", max_size=6)), st.sampled_from(["", "\n"]))
def test_lines_are_those_between_newlines(texts: list[str], end: str) -> None:
    data = ("\n".join(texts) + end).encode()
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    with Lines(f"/proc/self/fd/{reader}") as lines:
        found = []
        while (line := lines.wait_and_take()) is not None:
            found.append((line.number, line.data))
    os.close(reader)
    assert found == [
        (number, text.removesuffix("\r").encode()) for number, text in enumerate(texts, start=1) if text.strip()
    ]


def test_a_line_may_be_longer_than_any_buffer(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(b"x" * 5_000_000 + b"\ny")
    with Lines(str(path)) as lines:
        first, second = lines.take(), lines.take()
        assert first is not None
        assert len(first.data) == 5_000_000
        assert second is not None
        assert (second.number, second.data) == (2, b"y")
        assert lines.take() is None
        assert lines.exhausted


def test_the_tally_tells_rate_and_time_left() -> None:
    tally = Tally(100.0, size=1000, skipped=3, skipped_failed=1, bytes_skipped=200)
    assert tally.fraction() == 0.2
    assert tally.seconds_left(100.0) is None
    for _ in range(20):
        tally.add(JobState.SUCCEEDED, 10)
    assert tally.rate(102.0) == pytest.approx(10)
    # 200 bytes took two seconds, and 600 are left.
    assert tally.seconds_left(102.0) == pytest.approx(6)
    for _ in range(10):
        tally.add(JobState.TIMED_OUT, 10)
    assert (tally.done, tally.failed, tally.all_succeeded) == (30, 10, False)
    # The rate is that of the last ten seconds: nothing happens in them.
    assert tally.rate(111.0) > 0
    assert tally.rate(122.0) == 0
    assert tally.overall_rate(130.0) == pytest.approx(1)


def test_a_tally_without_a_size_tells_no_time_left() -> None:
    tally = Tally(0.0, size=None)
    tally.add(JobState.SUCCEEDED, 10)
    assert tally.fraction() is None
    assert tally.seconds_left(1.0) is None


def test_what_an_earlier_run_recorded_as_failed_counts() -> None:
    assert not Tally(0.0, None, skipped=1, skipped_failed=1).all_succeeded
    assert Tally(0.0, None, skipped=1).all_succeeded


def test_a_mailbox_loses_nothing_and_wakes_who_waits() -> None:
    mailbox = Mailbox[int]()
    count = 20_000

    def post(start: int) -> None:
        for number in range(start, count, 4):
            mailbox.put(number)

    threads = [threading.Thread(target=post, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    found: list[int] = []
    while len(found) < count:
        if (item := mailbox.get()) is None:
            mailbox.wait(None)
        else:
            found.append(item)
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(count))
