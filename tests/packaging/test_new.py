"""``pools new``: four commands to a pool that keeps the contract, and nothing is overwritten."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.packaging.conftest import Environment, run

pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.timeout(300)]

KINDS = ["thread", "process", "green"]


def new(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``pools new`` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pools", "new", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_four_commands_to_a_pool_that_keeps_the_contract(kind: str, wheels: Path, tmp_path: Path) -> None:
    if find_spec("pools.testing") is None:
        pytest.skip("this core is without its conformance kit, pools.testing")
    environment = Environment.create(tmp_path / "venv", wheels)
    environment.install("pools-core")
    environment.pools("new", "mine", f"--{kind}", "--directory", str(tmp_path))
    environment.install("--editable", f"{tmp_path / 'pools-mine'}[test]")
    said = environment.pools("check", "mine", "--quick")
    assert "pool mine: " in said
    assert "fails" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_is_formatted_linted_and_typed(kind: str, tmp_path: Path) -> None:
    assert new(tmp_path, "gpu-queue", f"--{kind}").returncode == 0
    folder = tmp_path / "pools-gpu-queue"
    paths = [path for path in folder.rglob("*") if path.is_file()]
    run(sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", folder)
    run(sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--check", folder)
    run(sys.executable, "-m", "mypy", "--strict", "--no-incremental", "src/pools_gpu_queue", cwd=folder)
    text = "".join(path.read_text() for path in paths)
    for placeholder in ("yourpool", "YourPool", "CORE_VERSION"):
        assert placeholder not in text
    assert "class GpuQueuePool(" in text
    assert {path.relative_to(folder).parts[0] for path in paths} == {"pyproject.toml", "README.md", "src", "tests"}


def test_its_pool_is_about_twenty_lines(tmp_path: Path) -> None:
    new(tmp_path, "mine")
    source = (tmp_path / "pools-mine" / "src" / "pools_mine" / "pool.py").read_text()
    assert len([line for line in source.splitlines() if line.strip()]) <= 20


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Mine", "'Mine' is no name for a pool: small letters and digits, in words joined by hyphens"),
        ("gpu_queue", "'gpu_queue' is no name for a pool"),
        ("../mine", "'../mine' is no name for a pool"),
        ("threads", "there is a pool threads already, of pools-threads "),
        ("custom", "the name custom is taken: choose another one"),
        ("core", "the name core is taken: choose another one"),
    ],
)
def test_a_name_that_cannot_be(tmp_path: Path, name: str, reason: str) -> None:
    done = new(tmp_path, name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pools: {reason}")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "pools-mine").mkdir()
    done = new(tmp_path, "mine")
    assert done.returncode == 2
    assert done.stderr == "pools: pools-mine is there already, and nothing is overwritten\n"
    assert list((tmp_path / "pools-mine").iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = new(tmp_path, "mine", "--directory", "file")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pools: file/pools-mine/")
    assert done.stderr.endswith("cannot be written: Not a directory\n")


def test_what_comes_next_is_said(tmp_path: Path) -> None:
    done = new(tmp_path, "mine", "--directory", "here")
    assert done.stdout.splitlines()[-1] == 'Next: cd here/pools-mine; pip install -e ".[test]"; pools check mine'
    assert (tmp_path / "here" / "pools-mine" / "pyproject.toml").exists()
