"""Distributions built from this checkout, and fresh environments to install them into."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [
    ROOT / "core",
    *sorted(path.parent for kind in ("plugins", "hosts") for path in ROOT.glob(f"{kind}/*/pyproject.toml")),
]
#: Distributions that the tests install and nobody releases.
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/pyproject.toml"))


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command to its end and return what it printed; a failure shows all of it."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment, fed from a folder of wheels and from nowhere else."""

    path: Path
    wheels: Path

    @classmethod
    def create(cls, path: Path, wheels: Path) -> Environment:
        """Make one with nothing in it, pip included."""
        run(sys.executable, "-m", "venv", "--without-pip", path)
        return cls(path, wheels)

    def pip(self, *arguments: str) -> None:
        run(sys.executable, "-m", "pip", "--isolated", "--python", self.path / "bin" / "python", "-q", *arguments)

    def install(self, *requirements: str) -> None:
        self.pip("install", "--no-index", "--find-links", str(self.wheels), *requirements)

    def pools(self, *arguments: str) -> str:
        return run(self.path / "bin" / "pools", *arguments, cwd=self.path)

    def python(self, *arguments: str) -> str:
        return run(self.path / "bin" / "python", *arguments, cwd=self.path)

    def error(self, *command: str) -> str:
        """The last line of what a command prints on standard error, which must fail."""
        done = subprocess.run(
            [self.path / "bin" / command[0], *command[1:]], cwd=self.path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode != 0, done.stdout
        return done.stderr.splitlines()[-1]

    def listed(self) -> list[str]:
        """The names of the pools that the command line finds; fails where it finds a problem."""
        found = json.loads(self.pools("list", "--json"))
        assert found["problems"] == []
        assert {pool["distribution"] for pool in found["pools"]} == {f"pools-{pool['name']}" for pool in found["pools"]}
        return [pool["name"] for pool in found["pools"]]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of every distribution and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    for source in FOLDERS:
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)
    return folder


@pytest.fixture(scope="session")
def wheels(dist: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of every distribution and of all that they depend on.

    The dependencies are downloaded once for each set of versions, and kept in pytest's cache.
    """
    projects = [tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in FOLDERS + EXAMPLES]
    # Dask's are many, and the tests of its pool need no environment of their own.
    projects = [project for project in projects if project["name"] != "pools-dask"]
    extras = [extra for project in projects for extra in project.get("optional-dependencies", {}).values()]
    lists = [project["dependencies"] for project in projects] + extras
    needed = {name for names in lists for name in names if not name.startswith("pools-")}
    # What builds a distribution of somebody, editable ones too.
    needed.update(("hatchling", "editables"))
    constraints = ROOT / "constraints.txt"
    key = hashlib.sha256(repr((sys.version, sorted(needed), constraints.read_bytes())).encode()).hexdigest()[:16]
    assert request.config.cache is not None
    kept = request.config.cache.mkdir("wheels") / key
    if not kept.exists():
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        run(sys.executable, "-m", "pip", "wheel", "-q", "-c", constraints, "-w", fresh, *sorted(needed))
        try:
            fresh.rename(kept)
        except OSError:
            # Another run of the tests was faster; its wheels are the same.
            shutil.rmtree(fresh)
            assert kept.exists()
    folder = tmp_path_factory.mktemp("wheels")
    for wheel in [*kept.glob("*.whl"), *dist.glob("*.whl")]:
        (folder / wheel.name).symlink_to(wheel)
    return folder


@pytest.fixture
def environment(wheels: Path, tmp_path: Path) -> Environment:
    """A virtual environment with nothing in it, pip included."""
    return Environment.create(tmp_path / "venv", wheels)


@pytest.fixture
def build_wheel(tmp_path: Path) -> Callable[[Path], Path]:
    """Build the wheel of a source folder, not by way of an sdist, and return its path."""

    def build(source: Path) -> Path:
        run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, source)
        (wheel,) = tmp_path.glob("*.whl")
        return wheel

    return build
