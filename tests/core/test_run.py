"""``pools run``: what it calls, what it records and how it ends."""

from __future__ import annotations

import os
import pty
import subprocess
import time

import pytest

from tests.core.batches import CONCURRENT, POOLS, Folder, records


@pytest.mark.parametrize("pool", POOLS)
def test_each_line_is_called_once_and_recorded(folder: Folder, pool: str) -> None:
    before = time.time()
    done = folder.run("shout", pool, stdin="one\n\n  \ntwo\r\nthree æ\nlast")
    assert done.returncode == 0, done.stderr
    found = records(done.stdout)
    assert [(record["line"], record["input"], record["result"]) for record in found] == [
        (1, "one", "ONE"),
        (4, "two", "TWO"),
        (5, "three æ", "THREE Æ"),
        (6, "last", "LAST"),
    ]
    for record in found:
        assert (record["outcome"], record["attempt"]) == ("succeeded", 1)
        assert "error" not in record
        assert "traceback" not in record
        assert 0 <= record["seconds"] < 30
        assert before - 1 < record["started"] < time.time() + 1


def test_json_lines_are_a_value_arguments_or_keywords(folder: Folder) -> None:
    done = folder.run("add", "threads", "--json", stdin='5\n[5, 6]\n{"a": 5, "b": 7}\n[1, 2, 3]\nfive\n')
    assert done.returncode == 1
    found = records(done.stdout)
    assert [(record["input"], record.get("result")) for record in found] == [
        (5, 6),
        ([5, 6], 11),
        ({"a": 5, "b": 7}, 12),
        ([1, 2, 3], None),
        ("five", None),
    ]
    assert found[3]["error"]["type"] == "TypeError"
    # What is no JSON is never called, so there is no attempt.
    assert found[4]["outcome"] == "failed"
    assert found[4]["attempt"] == 0
    assert found[4]["error"]["type"] == "json.decoder.JSONDecodeError"


@pytest.mark.parametrize("pool", POOLS)
def test_a_failure_is_recorded_with_its_traceback(folder: Folder, pool: str) -> None:
    done = folder.run("fail", pool, stdin="Ithaca\n")
    assert done.returncode == 1
    (record,) = records(done.stdout)
    assert record["outcome"] == "failed"
    assert record["error"] == {"type": "LookupError", "message": "nothing is known of Ithaca"}
    assert 'raise LookupError(f"nothing is known' in record["traceback"]
    assert "result" not in record
    assert "1 failed" in done.stderr


def test_a_result_that_is_not_json_is_given_as_its_repr(folder: Folder) -> None:
    done = folder.run("odd", "threads", stdin="object\nnan\ntuple\n")
    assert done.returncode == 0
    assert [(record["result"], record.get("result_is_repr")) for record in records(done.stdout)] == [
        ("<class 'object'>", True),
        ("nan", True),
        ([1, 2], None),
    ]


@pytest.mark.parametrize("pool", POOLS)
def test_a_time_limit_ends_a_call(folder: Folder, pool: str) -> None:
    done = folder.run("nap", pool, "--timeout", "0.5", stdin="0\n30\n")
    assert done.returncode == 1
    quick, slow = records(done.stdout)
    assert quick["outcome"] == "succeeded"
    assert slow["outcome"] == "timed out"
    assert slow["error"]["type"] == "pools.errors.TimeLimitExceeded"
    assert "time limit of 0.5 s" in slow["error"]["message"]
    assert "time.sleep" in slow["traceback"]
    assert 0.5 <= slow["seconds"] < 10


@pytest.mark.parametrize("pool", ["solo", "gevent", "eventlet"])
def test_a_soft_time_limit_is_raised_in_the_call(folder: Folder, pool: str) -> None:
    done = folder.run("soften", pool, "--soft-timeout", "0.2", stdin="30\n")
    (record,) = records(done.stdout)
    assert record["error"] == {"type": "RuntimeError", "message": "cleaned up"}
    assert "SoftTimeLimitExceeded" in record["traceback"]


@pytest.mark.parametrize("pool", POOLS)
def test_retries_and_only_the_last_attempt_is_recorded(folder: Folder, pool: str) -> None:
    done = folder.run("third_time", pool, "--retries", "5", stdin="a\nb\n")
    assert done.returncode == 0, done.stderr
    assert [(record["result"], record["attempt"]) for record in records(done.stdout)] == [("at last", 3)] * 2
    assert sorted(folder.calls()) == ["a"] * 3 + ["b"] * 3
    assert "4 retries" in done.stderr


def test_retries_end(folder: Folder) -> None:
    done = folder.run("third_time", "threads", "--retries", "1", stdin="a\n")
    assert done.returncode == 1
    (record,) = records(done.stdout)
    assert (record["outcome"], record["attempt"]) == ("failed", 2)
    assert folder.calls() == ["a", "a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["work:shout", "-P", "gevnet"], "did you mean gevent"),
        (["work:shout", "-P", "solo", "-c", "2"], "max_concurrency is 1"),
        (["work:shout", "-c", "none"], "is not a positive number"),
        (["work:shout", "--timeout", "0"], "--timeout"),
        (["work:shout", "--retries", "-1"], "--retries"),
        (["work:shout", "--input", "nowhere.txt"], "cannot read nowhere.txt: No such file"),
        (["work:shout", "--input", "."], "Is a directory"),
        (["work:shout", "--output", "no/where"], "cannot write no/where"),
        (["work:shout", "--output", "work.py"], "work.py exists"),
        (["work:shout", "--resume"], "--resume needs the --output"),
        (["work:shout", "--resume", "--output", "/dev/null"], "is not a file"),
        (["work:shout", "--resume", "--output", "work.py"], "not a record of pools run"),
        (["work:nothing"], "has no attribute 'nothing'"),
        (["work:NUMBER"], "is a int, not a function"),
        (["work:coroutine"], "is a coroutine function"),
        (["work"], "not of the form module:function"),
        (["nowork:shout"], "No module named 'nowork'"),
        (["broken:shout"], "does not import: ZeroDivisionError"),
        (["leaving:shout"], "does not import: SystemExit"),
        ([], "MODULE:FUNCTION"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(folder: Folder, arguments: list[str], message: str) -> None:
    (folder.path / "broken.py").write_text("1 / 0\n")
    (folder.path / "leaving.py").write_text("raise SystemExit(0)\n")
    command = [*folder.command("shout", "threads")[:4], *arguments]
    done = subprocess.run(
        command, cwd=folder.path, stdin=subprocess.DEVNULL, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("pool", POOLS)
def test_a_record_comes_as_soon_as_its_line_whatever_comes_later(folder: Folder, pool: str) -> None:
    with folder.start("shout", pool) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in ("one", "two", "three"):
            # Standard input stays open and empty meanwhile, which must not hold up the call.
            process.stdin.write(f"{line}\n")
            assert f'"{line.upper()}"' in process.stdout.readline()
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize("pool", POOLS)
def test_input_is_read_no_further_than_needed(folder: Folder, pool: str) -> None:
    count, size = 8_000, 8_000
    path = folder.lines(["x" * size] * count)
    done = folder.run("peak", pool, "--input", path, "--output", "out.jsonl", "-q")
    assert done.returncode == 0, done.stderr
    found = folder.records()
    assert len(found) == count
    # Kilobytes: a run that kept its input would grow by twice its size.
    assert found[-1]["result"] - found[count // 8]["result"] < 16_000


@pytest.mark.parametrize("pool", CONCURRENT)
def test_as_many_calls_run_at_once_as_asked_for(folder: Folder, pool: str) -> None:
    path = folder.lines([str(number) for number in range(30)])
    with folder.start("gated", pool, "-c", "30", "--input", path) as process:
        while len(folder.calls()) < 30:
            assert process.poll() is None
            time.sleep(0.01)
        folder.open_gate()
        assert process.stdout is not None
        assert len(records(process.stdout.read())) == 30


@pytest.mark.parametrize("pool", CONCURRENT)
def test_who_reads_the_records_may_go_away(folder: Folder, pool: str) -> None:
    with folder.start("shout", pool, "--input", folder.lines(["a" * 100] * 20_000)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(30) == 1
        assert "cannot write standard output: Broken pipe" in process.stderr.read()


def test_standard_output_may_be_closed(folder: Folder) -> None:
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *folder.command("shout", "threads", *options)]
        return subprocess.run(
            command, cwd=folder.path, input="a\n", stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )

    refused = run()
    assert refused.returncode == 2
    assert refused.stderr == "pools: cannot write standard output: Bad file descriptor\n"
    assert run("--output", "out.jsonl").returncode == 0
    assert [record["result"] for record in folder.records()] == ["A"]


def test_progress_is_plain_lines_without_a_terminal_and_silence_when_quiet(folder: Folder) -> None:
    loud = folder.run("shout", "threads", stdin="a\nb\n")
    assert loud.stderr.splitlines()[-1].startswith("pools run: 2 done in ")
    assert "\x1b" not in loud.stderr
    quiet = folder.run("shout", "threads", "-q", stdin="a\nb\n")
    assert quiet.stderr == ""
    assert len(records(quiet.stdout)) == 2


@pytest.mark.parametrize("pool", POOLS)
def test_progress_is_a_bar_on_a_terminal(folder: Folder, pool: str) -> None:
    master, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = folder.command("nap", pool, "--input", folder.lines(["0.1"] * 6), "--output", "out.jsonl")
    with subprocess.Popen(command, cwd=folder.path, env=environment, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        while chunk := _read_terminal(master):
            shown += chunk
    os.close(master)
    assert process.returncode == 0
    for words in ("done", "running", "0 failed", "left", "100%", "━", "pools run: 6 done in"):
        assert words in shown.decode(), words


def _read_terminal(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:  # that is how a terminal says that nobody writes to it any more
        return b""
