"""What the distributions say of themselves agrees: they share one version, one licence and one lower Python."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
HOSTS = sorted(path.parent for path in ROOT.glob("hosts/*/pyproject.toml"))
FOLDERS = [ROOT / "core", *PLUGINS, *HOSTS]


def project(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return table


VERSION: str = project(ROOT / "core")["version"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_distributions_have_one_version(folder: Path) -> None:
    assert project(folder)["version"] == VERSION


@pytest.mark.parametrize("folder", [*PLUGINS, *HOSTS], ids=lambda folder: folder.name)
def test_a_plugin_needs_the_core_of_its_own_release(folder: Path) -> None:
    assert f"pools-core~={VERSION}" in project(folder)["dependencies"]


def test_all_means_every_plugin_of_this_release_for_one_machine() -> None:
    """Dask brings a dozen distributions with it, which only those want who have a cluster."""
    extra = project(ROOT / "core")["optional-dependencies"]["all"]
    here = [folder for folder in PLUGINS if folder.name != "dask"]
    assert sorted(extra) == sorted(f"{project(folder)['name']}~={VERSION}" for folder in here)


def test_the_changelog_knows_the_version() -> None:
    assert f"\n## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_distribution_carries_the_licence_of_the_project(folder: Path) -> None:
    assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("key", ["requires-python", "license", "license-files", "authors"])
def test_the_distributions_agree_on(key: str) -> None:
    assert [project(folder)[key] for folder in FOLDERS] == [project(ROOT / "core")[key]] * len(FOLDERS)


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_offers_the_pool_that_it_is_named_for(folder: Path) -> None:
    name = folder.name
    assert project(folder)["name"] == f"pools-{name}"
    module = f"pools_{name}.plugin"
    points = project(folder)["entry-points"]
    declared = importlib.import_module(module).pools_pool()
    assert points.pop("pools.plugins") == {declared.name: module}
    assert points == ({"pools.aliases": dict.fromkeys(declared.aliases, module)} if declared.aliases else {})


def test_the_workspace_builds_and_installs_every_distribution() -> None:
    makefile = (ROOT / "Makefile").read_text()
    line = next(line for line in makefile.splitlines() if line.startswith("DISTRIBUTIONS :="))
    assert sorted(line.split(":=")[1].split()) == sorted(str(folder.relative_to(ROOT)) for folder in FOLDERS)
