"""The benchmarks run, and print ratios; how fast anything is, no test asserts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.needs import needs

ROOT = Path(__file__).parents[2]


def benchmarks(*arguments: str, module: str = "benchmarks") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_quick_run_of_one_case_prints_and_records_its_ratio(tmp_path: Path) -> None:
    needs("celery")
    report = tmp_path / "report.json"
    done = benchmarks("--quick", "--only", "jobs/solo", "--json", str(report))
    assert done.returncode == 0, done.stderr
    (comparison,) = json.loads(report.read_text())["comparisons"]
    assert (comparison["ours"], comparison["peer"]) == ("pools solo", "Celery solo")
    assert comparison["ratio"] > 0
    assert comparison["reached"] == (comparison["ratio"] >= comparison["target"])
    assert f"{comparison['ratio']:.2f}" in done.stdout


def test_a_name_that_stands_for_nothing_is_an_error_that_lists_what_there_is() -> None:
    done = benchmarks("--only", "prefrok")
    assert done.returncode == 2
    assert "nothing is named 'prefrok'; there are jobs, prefork, limits, latency, " in done.stderr
    assert "Traceback" not in done.stderr


def test_what_a_block_limit_costs_is_measured() -> None:
    needs("gevent", "eventlet")
    done = benchmarks("--rounds", "1", module="benchmarks.blocking")
    assert done.returncode == 0, done.stderr
    lines = [line.rpartition(": ") for line in done.stdout.splitlines()]
    cases = ("jobs that end at once", "jobs that yield")
    assert [label for label, _, _ in lines] == [f"{pool}, {case}" for pool in ("gevent", "eventlet") for case in cases]
    assert all(float(told.removesuffix(" % of processor time")) < 100 for _, _, told in lines)
