"""``pools run`` and signals: the first one finishes what runs, the second one terminates it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.core.batches import CONCURRENT, POOLS, Folder, concurrency

LINES = [f"line-{number}" for number in range(300)]


@contextmanager
def busy(folder: Folder, pool: str, function: str = "gated", slots: int = 4) -> Iterator[subprocess.Popen[str]]:
    """A run of which every slot is in a call that waits for the gate."""
    expected = 1 if pool == "solo" else slots
    options = ["--input", folder.lines(LINES), "--output", "out.jsonl", *concurrency(pool, slots)]
    with folder.start(function, pool, *options) as process:
        while len(folder.calls()) < expected:
            assert process.poll() is None
            time.sleep(0.01)
        yield process


def stderr_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without {words!r}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("pool", CONCURRENT)
def test_the_first_signal_finishes_what_runs(folder: Folder, pool: str, number: signal.Signals) -> None:
    with busy(folder, pool) as process:
        process.send_signal(number)
        stderr_until(process, f"{number.name}: no more input is taken")
        folder.open_gate()
        assert process.stderr is not None
        assert "not all of the input is done: --resume goes on with it" in process.stderr.read()
        assert process.wait(30) == 1
    assert sorted(folder.calls()) == sorted(record["input"] for record in folder.records())
    assert len(folder.calls()) == 4


def test_the_first_signal_finishes_the_job_of_the_solo_pool(folder: Folder) -> None:
    with busy(folder, "solo") as process:
        process.send_signal(signal.SIGINT)
        # The job, which sleeps between two looks, is interrupted by the signal; ask the system, who has no message yet.
        while _is_pending(signal.SIGINT, process.pid):
            time.sleep(0.01)
        folder.open_gate()
        assert process.wait(30) == 1
    assert len(folder.records()) == len(folder.calls()) < len(LINES)


def _is_pending(number: signal.Signals, pid: int) -> bool:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    pending = int(fields["SigPnd"], 16) | int(fields["ShdPnd"], 16)
    return bool(pending >> (number - 1) & 1)


@pytest.mark.parametrize("pool", CONCURRENT)
def test_a_second_ctrl_c_terminates(folder: Folder, pool: str) -> None:
    with busy(folder, pool) as process:
        process.send_signal(signal.SIGINT)
        stderr_until(process, "SIGINT: no more input is taken")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert folder.records() == []


@pytest.mark.parametrize("function", ["gated", "spin"])
@pytest.mark.parametrize("pool", POOLS)
def test_even_when_a_job_holds_the_thread(folder: Folder, pool: str, function: str) -> None:
    slots = 1 if function == "spin" else 4
    with busy(folder, pool, function, slots) as process:
        # Two different signals: of two equal ones sent at once, the system delivers one.
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert folder.records() == []


@pytest.mark.parametrize("pool", POOLS)
def test_what_was_stopped_can_be_resumed(folder: Folder, pool: str) -> None:
    with busy(folder, pool) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    folder.open_gate()
    done = folder.run("gated", pool, "--input", "in.txt", "--output", "out.jsonl", "--resume", *concurrency(pool, 50))
    assert done.returncode == 0, done.stderr
    assert [record["input"] for record in folder.records()] == LINES
