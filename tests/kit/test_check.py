"""``pools check`` and ``PoolConformance``: what they say, and that they say it whatever a pool does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pools.testing.points import POINTS
from tests.patched import ROOT

ONLY = "test_a_job_that_returns"


def _check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pools", "check", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110.0, check=False)


def test_a_report_in_json() -> None:
    """Point by point, with nothing but what was run."""
    done = _check("threads", "--json", "--quick", "-k", f"{ONLY} or point_15")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["pool"], report["holds"]) == ("threads", True)
    assert [(point["point"], point["title"], point["verdict"]) for point in report["points"]] == [
        (1, "One outcome", "holds"),
        (15, "Sizes", "holds"),
    ]
    assert report["points"][0]["tests"] == 1
    assert report["points"][0]["failures"] == report["points"][0]["not_run"] == []


def test_what_is_not_promised() -> None:
    """A point without its traits is neither held nor failed, and each test that was not run is named."""
    done = _check("tests.contract.strangers:OnExecutor", "--json", "-k", "point_05_time and not promised or knows")
    assert done.returncode == 0, done.stdout
    (point,) = [point for point in json.loads(done.stdout)["points"] if point["point"] == 5]
    assert point["verdict"] == "not promised"
    assert {"test": "point_05_time_limits::test_a_job_knows_its_deadline", "traits": ["hard_timeout"]} in point[
        "not_promised"
    ]


def test_a_report_of_a_failure() -> None:
    """The test, what was wrong, and the history up to there; exit code 1."""
    reference = "tests.kit.mutants.outcomes:DeliversTwice"
    done = _check(reference, "--quick", "-k", ONLY)
    assert done.returncode == 1
    assert "  1  One outcome                 fails" in done.stdout
    assert "point_01_one_outcome::test_a_job_that_returns" in done.stdout
    assert "2 outcomes were delivered" in done.stdout
    assert "ended: value (3, 1)" in done.stdout


def test_a_short_history() -> None:
    """What a schedule does wrong is shrunk to the calls that it takes."""
    done = _check("tests.kit.mutants.work:GrowsOnPaper", "--json", "-k", "any_schedule")
    (point,) = json.loads(done.stdout)["points"]
    history = point["failures"][0]["history"]
    assert any(line.startswith("grow(") for line in history), history
    assert len(history) <= 12, history


@pytest.mark.parametrize(
    ("mutant", "how"), [("HangsInStop", "without a sign of life"), ("EndsTheProcess", "did not survive")]
)
def test_a_pool_that_takes_the_process_along(mutant: str, how: str) -> None:
    """Its point fails, the report comes out, and the tests after it are run in another process."""
    done = _check(f"tests.kit.mutants.life:{mutant}", "--quick", "--json", "-k", "moves_from or shield_outside")
    assert done.returncode == 1, done.stderr
    points = {point["point"]: point for point in json.loads(done.stdout)["points"]}
    assert how in points[4]["failures"][0]["message"]
    assert points[5]["verdict"] == "holds"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nopool"], "no installed plugin offers a pool named 'nopool'"),
        (["threads", "-k", "nothing_of_the_kind"], "no test of the suite matches"),
        (["threads", "-k", "(("], "Wrong expression"),
        (["threads", "-o", "nonsense"], "not of the form NAME=VALUE"),
        (["nowhere:Pool"], "does not import"),
    ],
)
def test_bad_usage(arguments: list[str], message: str) -> None:
    """Exit code 2, and one line that says what is wrong."""
    done = _check(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_class_of_an_author(tmp_path: Path) -> None:
    """``PoolConformance`` in a test module of somebody's: a test for each point, and the points at the end."""
    (tmp_path / "test_mine.py").write_text(
        'from pools.testing import PoolConformance\n\n\nclass TestMine(PoolConformance):\n    pool_name = "threads"\n'
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--pools-quick",
        "-k",
        "Sizes or Context",
        "-v",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=110.0, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed, 13 deselected" in done.stdout
    assert "pool threads and the contract" in done.stdout
    assert " 15  Sizes                       holds" in done.stdout


def test_import_pools_loads_no_kit() -> None:
    """Neither it nor what it needs."""
    program = (
        "import pools, sys; pools.open; print(sorted({'pytest', 'hypothesis', 'pools.testing'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_the_points_are_those_of_the_contract() -> None:
    """By number and title."""
    page = (ROOT / "docs" / "contract.md").read_text()
    for point in POINTS:
        assert f"{point.number}. **{point.title}" in page
