"""Points 7 and 11: jobs cannot break the pool, and what they raise arrives as it was."""

from __future__ import annotations

import os
import re
import signal
import traceback
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from pools.errors import RemoteError, RemoteTraceback, WorkerLostError
from pools.states import JobState
from tests.contract.records import PATIENCE, apply
from tests.prefork import targets, unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import pids, settled
from tests.prefork.targets import echo


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (unruly.raise_system_exit, SystemExit),
        (unruly.raise_interrupt, KeyboardInterrupt),
        (unruly.raise_generator_exit, GeneratorExit),
    ],
)
def test_a_job_that_wants_to_end_its_process(open_pool: OpenPool, target: Any, kind: type[BaseException]) -> None:
    """It fails with what it raised, and its child lives on."""
    pool = open_pool()
    child = apply(pool, targets.pid).value()
    record = apply(pool, target)
    assert type(record.error()) is kind
    assert record.job.state is JobState.FAILED
    record.check()
    assert apply(pool, targets.pid).value() == child


@pytest.mark.parametrize(
    ("target", "argument", "how"),
    [
        (unruly.exit_at_once, 0, "exited with code 0"),
        (unruly.exit_at_once, 3, "exited with code 3"),
        (unruly.raise_signal, signal.SIGSEGV, "was killed by SIGSEGV"),
        (unruly.raise_signal, signal.SIGKILL, "was killed by SIGKILL"),
        (unruly.raise_signal, signal.SIGABRT, "was killed by SIGABRT"),
    ],
)
def test_a_job_whose_child_dies(
    open_pool: OpenPool, caplog: pytest.LogCaptureFixture, target: Any, argument: int, how: str
) -> None:
    """The error says which job and process, how it ended, and its memory; in under a second."""
    pool = open_pool(2)
    for _ in range(20):
        apply(pool, echo, 1).value()
    record = apply(pool, target, argument)
    behind = [apply(pool, echo, number) for number in range(20)]
    began = monotonic()
    error = record.error()
    assert monotonic() - began < 1.0
    assert isinstance(error, WorkerLostError)
    found = re.fullmatch(
        rf"job (\d+) of pool prefork was lost: child (\d+) of pool prefork \(pid \d+\) {how}; "
        r"it had \d+ KiB of memory at its peak",
        str(error),
    )
    assert found, str(error)
    assert int(found[1]) == record.job.id
    assert int(found[2]) == record.job.slot_id
    assert record.job.state is JobState.LOST
    record.check()
    assert [job.value() for job in behind] == list(range(20))
    settled(lambda: len(pids(pool)), 2)
    settled(lambda: pool.stats["restarts"], {"died": 1})
    pool.stop()
    logged = [entry.getMessage() for entry in caplog.get_records("call")]
    assert len([line for line in logged if how in line]) == 1
    caplog.clear()


def test_the_jobs_of_a_dead_child(open_pool: OpenPool, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """What it had not begun runs elsewhere, once."""
    pool = open_pool(2)
    for _ in range(40):
        apply(pool, echo, 1).value()
    log = str(tmp_path / "log")
    records = []
    for number in range(400):
        if number % 100 == 50:
            records.append(apply(pool, unruly.exit_at_once, 1))
        records.append(apply(pool, targets.note_and_return, log, number))
    for record in records:
        record.ended()
        record.check()
    assert [record.kinds[-1] for record in records].count("error") == 4
    assert sorted(targets.noted(log), key=int) == [str(number) for number in range(400)]
    pool.stop()
    caplog.clear()


# -- What does not pickle ----------------------------------------------------------------------------------------------


def test_an_argument_that_does_not_pickle(open_pool: OpenPool) -> None:
    """Nor a target: the job fails, was never accepted, and others run."""
    pool = open_pool()
    for bad in (apply(pool, echo, unruly.Unpicklable()), apply(pool, lambda: 1)):
        assert isinstance(bad.error(), TypeError | AttributeError)
        assert bad.kinds == ["error"]
        bad.check()
        assert apply(pool, echo, 1).value() == 1


@pytest.mark.parametrize(
    ("target", "args", "words"),
    [
        (echo, (unruly.BadToLoad(),), "this does not load"),
        (unruly.give_unpicklable, (), "this stays where it is"),
        (unruly.give_bad_to_load, (), "returned what does not unpickle here"),
        (unruly.fail, ("unpicklable",), "does not pickle: .*UnpicklableError: not to be pickled"),
        (unruly.fail, ("bad to load",), "does not unpickle .*TwoArgumentsError: this and that"),
        (unruly.fail, ("exiting",), "does not unpickle .*ExitingError: well"),
    ],
)
def test_what_cannot_be_handed_over(open_pool: OpenPool, target: Any, args: tuple[Any, ...], words: str) -> None:
    """The job alone fails, with words that say why."""
    pool = open_pool()
    child = apply(pool, targets.pid).value()
    record = apply(pool, target, *args)
    error = record.error()
    assert re.search(words, str(error)), error
    if target is unruly.fail:
        assert isinstance(error, RemoteError)
        assert "in fail" in str(error)
        assert "Traceback" in str(error)
    record.check()
    assert apply(pool, targets.pid).value() == child


def test_targets_of_every_kind(open_pool: OpenPool) -> None:
    """Whatever pickles."""
    pool = open_pool()
    assert apply(pool, targets.Doubler(3), 4).value() == 12
    assert apply(pool, targets.Doubler(3).times, 5).value() == 15
    assert pool.apply_async(targets.Doubler(2), (4,), {"plus": 1}).result(PATIENCE) == 9
    assert apply(pool, dict, [(1, 2)]).value() == {1: 2}
    assert apply(pool, "a b".split).value() == ["a", "b"]
    assert pool.apply_async(int, ("11",), {"base": 2}).result(PATIENCE) == 3


@pytest.mark.parametrize("size", [0, 1, 1 << 15, (1 << 15) + 1, 1 << 18, 3_000_001, 100 << 20])
def test_sizes(open_pool: OpenPool, size: int) -> None:
    """Arguments and results of up to 100 MiB, both at once."""
    pool = open_pool()
    data = os.urandom(min(size, 1 << 16)) * (size // (1 << 16) + 1)
    data = data[:size]
    assert apply(pool, targets.measure, data).value() == size
    assert len(apply(pool, targets.large, size).value()) == size
    if size < 50 << 20:
        assert apply(pool, echo, data).value() == data
        assert apply(pool, echo, bytearray(data)).value() == data
        assert [record.value() for record in [apply(pool, echo, [data, n]) for n in range(5)]] == [
            [data, n] for n in range(5)
        ]


def test_a_child_that_dies_in_a_large_result(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """The job is lost, or has its value; nothing else."""
    pool = open_pool(2)
    lost = 0
    for number in range(15):
        record = apply(pool, targets.large, 40 << 20)
        record.accepted()
        (child,) = [entry["pid"] for entry in pool.info["children"] if entry["jobs_sent"]] or [None]
        targets.spend(number * 3e-3)
        if child is not None and not record.job.done():
            os.kill(child, signal.SIGKILL)
        record.ended()
        record.check()
        lost += record.job.state is JobState.LOST
        assert record.job.state is JobState.LOST or len(record.value()) == 40 << 20
    assert lost
    pool.stop()
    caplog.clear()


# -- Tracebacks --------------------------------------------------------------------------------------------------------


def test_the_remote_traceback(open_pool: OpenPool) -> None:
    """It is the cause of the original exception, and shows the job's own frames and what caused it."""
    pool = open_pool()
    record = apply(pool, unruly.fail_deeply, 2)
    error = record.error()
    assert type(error) is LookupError
    assert error.args == ("as it must",)
    assert isinstance(error.__cause__, RemoteTraceback)
    text = str(error.__cause__)
    assert text.count("in fail_deeply") >= 3
    assert "KeyError: 'the cause'" in text
    assert "LookupError: as it must" in text
    assert "pools_prefork" not in text
    assert "pools/call.py" not in text
    shown = "".join(traceback.format_exception(error))
    assert "raise LookupError" in shown
    with pytest.raises(LookupError) as raised:
        record.job.result(PATIENCE)
    assert raised.value is error


# -- Processes of its own ----------------------------------------------------------------------------------------------
