"""``pools run --resume``: whatever ended a run, nothing is lost and nothing that was recorded runs twice."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import pytest

from tests.core.batches import POOLS, Folder, concurrency


def resume(folder: Folder, function: str = "noted", pool: str = "threads", *options: str) -> tuple[int, str]:
    done = folder.run(function, pool, "--input", "in.txt", "--output", "out.jsonl", "--resume", *options)
    return done.returncode, done.stderr


@pytest.mark.parametrize("pool", POOLS)
def test_killed_again_and_again(folder: Folder, pool: str) -> None:
    lines = [f"line-{number}" for number in range(400)]
    folder.lines(lines)
    chance = random.Random(pool)
    arguments = ["--input", "in.txt", "--output", "out.jsonl", "--resume", "-q", *concurrency(pool, 20)]
    for _ in range(6):
        called = len(folder.calls())
        goal = called + chance.randint(1, 60)
        before = {record["input"] for record in _whole_records(folder)}
        with folder.start("noted", pool, *arguments) as process:
            while len(folder.calls()) < goal and process.poll() is None:
                time.sleep(0.001)
            process.kill()
        # Nothing that had a record when this run began was called in it.
        assert not before & set(folder.calls()[called:])
    assert len(_whole_records(folder)) < len(lines), "it was done before it was killed often enough"
    code, errors = resume(folder, "noted", pool)
    assert code == 0, errors
    assert [record["input"] for record in folder.records()] == lines


def _whole_records(folder: Folder) -> list[dict[str, str]]:
    text = folder.output.read_text() if folder.output.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_a_finished_run_has_nothing_left_to_do(folder: Folder) -> None:
    folder.lines(["a", "b"])
    assert resume(folder)[0] == 0
    code, errors = resume(folder)
    assert code == 0
    assert "2 were done before" in errors
    assert sorted(folder.calls()) == ["a", "b"]


def test_a_record_that_was_not_written_whole_is_cut_off(folder: Folder) -> None:
    folder.lines([f"{number}" for number in range(20)])
    resume(folder, "noted", "solo")
    whole = folder.output.read_bytes()
    for torn in (whole[:-1], whole[: whole.rindex(b"\n", 0, -1) + 5]):
        folder.output.write_bytes(torn)
        folder.log.unlink()
        assert resume(folder)[0] == 0
        assert folder.calls() == ["19"]
        assert [record["line"] for record in folder.records()] == list(range(1, 21))


def test_records_may_be_in_any_order_and_have_gaps(folder: Folder) -> None:
    folder.lines([f"{number}" for number in range(50)])
    resume(folder)
    written = folder.output.read_text().splitlines(keepends=True)
    random.Random(1).shuffle(written)
    folder.output.write_text("".join(written[:31]))
    missing = {json.loads(line)["input"] for line in written[31:]}
    folder.log.unlink()
    assert resume(folder)[0] == 0
    assert set(folder.calls()) == missing
    assert len(folder.calls()) == 19
    assert [record["line"] for record in folder.records()] == list(range(1, 51))


def test_the_input_may_come_from_a_pipe(folder: Folder) -> None:
    lines = [f"{number}\n" for number in range(30)]
    folder.run("noted", "threads", "--output", "out.jsonl", stdin="".join(lines[:15]))
    folder.log.unlink()
    done = folder.run("noted", "threads", "--output", "out.jsonl", "--resume", stdin="".join(lines))
    assert done.returncode == 0, done.stderr
    assert sorted(folder.calls(), key=int) == [str(number) for number in range(15, 30)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["a", "x", "c", "d"], "is not the input that out.jsonl records"),
        (["b", "a", "c", "d"], "is not the input that out.jsonl records"),
        (["a", "", "c", "d"], "is not the input that out.jsonl records"),
        (["a", "b"], "records line 3 of an input, and in.txt has only 2"),
    ],
)
def test_another_input_is_refused(folder: Folder, changed: list[str], message: str) -> None:
    folder.lines(["a", "b", "c"])
    resume(folder)
    before = folder.output.read_bytes()
    folder.lines(changed)
    code, errors = resume(folder)
    assert code == 2
    assert message in errors
    assert sorted(folder.calls()) == ["a", "b", "c"]
    assert folder.output.read_bytes() == before


def test_an_input_that_grew_is_gone_on_with(folder: Folder) -> None:
    folder.lines(["a", "b"])
    resume(folder)
    folder.lines(["a", "b", "c"])
    assert resume(folder)[0] == 0
    assert sorted(folder.calls()) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text + text.splitlines(keepends=True)[0], "is done already"),
        (lambda text: text + '{"line": "x"}\n', "line 3: it is not a record of pools run"),
        (lambda text: text + "\n", "line 3: it is not a record of pools run"),
        (lambda text: "my notes", "line 1: it is not a record of pools run"),
    ],
)
def test_what_is_no_output_of_ours_is_refused_and_left_alone(
    folder: Folder, spoil: Callable[[str], str], message: str
) -> None:
    folder.lines(["a", "b"])
    resume(folder)
    spoiled = spoil(folder.output.read_text())
    folder.output.write_text(spoiled)
    code, errors = resume(folder)
    assert code == 2
    assert message in errors
    assert folder.output.read_text() == spoiled


def test_what_failed_is_recorded_and_does_not_run_again(folder: Folder) -> None:
    folder.lines(["1"])
    assert resume(folder, "fail")[0] == 1
    # The exit code is about the whole input, as the output is.
    assert resume(folder, "fail")[0] == 1
    assert len(folder.records()) == 1


def test_two_runs_do_not_share_an_output(folder: Folder) -> None:
    folder.lines(["a"])
    with folder.start("gated", "threads", "--input", "in.txt", "--output", "out.jsonl") as process:
        while not folder.calls():
            assert process.poll() is None
            time.sleep(0.01)
        code, errors = resume(folder)
        assert code == 2
        assert "another run is writing it" in errors
        folder.open_gate()
        assert process.wait(30) == 0
