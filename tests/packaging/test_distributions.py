"""The distributions as users get them: what is in them, and what appears and goes when pip installs and removes them.

One worker runs all of these, so that everything is built once.
"""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.packaging.conftest import FOLDERS, ROOT, Environment, run

pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.timeout(300)]

#: The pools of one machine; that of a cluster has a test of its own, tests/dask/.
POOLS = [folder.name for folder in FOLDERS if folder.parent.name == "plugins" and folder.name != "dask"]

#: A program for any pool: it is told which one by its first argument; none means the default.
PROGRAM = """
import sys
import pools


def work(number: int) -> str:
    return f"{pools.current_job().slot_id is not None}:{number * 2}"


if __name__ == "__main__":
    with pools.open(sys.argv[1] or None, concurrency=1) as pool:
        print(pool.name, pool.submit(work, 21).result(timeout=30))
"""


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def find(dist: Path, folder: Path, suffix: str) -> Path:
    stem = "pools_core" if folder.name == "core" else f"pools_{folder.name}"
    (path,) = dist.glob(f"{stem}-*{suffix}")
    return path


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_wheel_holds_its_package_its_licence_and_nothing_else(folder: Path, dist: Path) -> None:
    (package,) = (folder / "src").iterdir()
    wheel = find(dist, folder, ".whl")
    info = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    sources = {
        str(path.relative_to(folder / "src"))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    metadata = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE", "entry_points.txt")}
    assert f"{package.name}/py.typed" in sources
    assert names(wheel) == sources | metadata
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        header = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
    assert header["License-Expression"] == "BSD-3-Clause"
    assert header["Requires-Python"] == ">=3.11"
    assert header["Summary"]
    assert "```" in header.get_payload(), "the README is the description"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_sdist_has_no_more_than_the_wheel_needs_and_builds_the_same_wheel(
    folder: Path, dist: Path, build_wheel: Callable[[Path], Path]
) -> None:
    with tarfile.open(find(dist, folder, ".tar.gz")) as archive:
        tops = {member.name.split("/")[1] for member in archive.getmembers()}
    assert tops == {"src", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore"}
    assert build_wheel(folder).read_bytes() == find(dist, folder, ".whl").read_bytes()


def test_the_core_alone_has_no_pool(environment: Environment) -> None:
    environment.install("pools-core")
    assert environment.listed() == []
    assert "Usage: pools" in environment.pools("--help")


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_comes_with_its_distribution_and_goes_with_it(name: str, environment: Environment) -> None:
    environment.install("pools-core")
    environment.install(f"pools-{name}")
    assert environment.listed() == [name]
    program = environment.path / "program.py"
    program.write_text(PROGRAM)
    assert environment.pools("exec", "-P", name, str(program), name).split() == [name, "True:42"]
    environment.pip("uninstall", "-y", f"pools-{name}")
    assert environment.listed() == []


def test_a_pool_brings_the_core_with_it(environment: Environment) -> None:
    environment.install("pools-threads")
    assert environment.listed() == ["threads"]


def test_all_brings_every_pool(environment: Environment) -> None:
    environment.install("pools-core[all]")
    assert sorted(environment.listed()) == sorted(POOLS)
    program = environment.path / "program.py"
    program.write_text(PROGRAM)
    for name in ("", "processes"):  # the default pool, and its alias
        assert run(environment.path / "bin" / "python", program, name).split() == ["prefork", "True:42"]
