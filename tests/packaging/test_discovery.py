"""Plugins as they come and go in the world: installed, upgraded and removed by pip, broken, in twos, and too new."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.core.fake_plugins import declaration, inline_pool
from tests.packaging.conftest import ROOT, Environment, run
from tests.packaging.plugin_wheels import make_wheel, plugin_wheel

pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.timeout(300)]

#: Opens the pool of a name, and prints what a job of it gave.
USE = "import pools, sys; pool = pools.open(sys.argv[1], 1); print(pool.submit(abs, -7).result(30)); pool.stop()"


@pytest.fixture(scope="module")
def environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One environment with the core for all tests here; each leaves nothing in it."""
    environment = Environment.create(tmp_path_factory.mktemp("discovery") / "venv", wheels)
    environment.install("pools-core")
    return environment


def report(environment: Environment) -> dict[str, Any]:
    """What ``pools list --json`` says."""
    found: dict[str, Any] = json.loads(environment.pools("list", "--json"))
    return found


def problems(environment: Environment) -> list[tuple[str, str, str]]:
    """The problems that it shows."""
    return [(found["name"], found["origin"], found["reason"]) for found in report(environment)["problems"]]


def test_a_plugin_is_installed_upgraded_and_removed(environment: Environment, tmp_path: Path) -> None:
    for version, summary in (("1.0", "the first"), ("1.1", "the second")):
        environment.install(str(plugin_wheel(tmp_path, "mine", version, summary=summary)))
        (found,) = report(environment)["pools"]
        assert (found["name"], found["version"], found["summary"]) == ("mine", version, summary)
        assert environment.python("-c", USE, "mine") == "7\n"
    environment.pip("uninstall", "-y", "pools-mine")
    assert report(environment)["pools"] == []
    assert environment.error("python", "-c", USE, "mine") == (
        "pools.errors.UnknownPoolError: no installed plugin offers a pool named 'mine'; "
        "to install it: pip install pools-mine"
    )


def test_two_distributions_claim_one_name(environment: Environment, tmp_path: Path) -> None:
    wheels = [plugin_wheel(tmp_path, "twin", distribution=name) for name in ("pools-twin", "twin-pools")]
    environment.install(*map(str, wheels))
    assert problems(environment) == [
        ("twin", "pools-twin 1.0", "the name twin is also claimed by twin-pools 1.0"),
        ("twin", "twin-pools 1.0", "the name twin is also claimed by pools-twin 1.0"),
    ]
    assert environment.error("pools", "info", "twin") == (
        "pools: the pool name twin is claimed by pools-twin 1.0 and by twin-pools 1.0: uninstall one of them"
    )
    environment.pip("uninstall", "-y", "twin-pools")
    assert problems(environment) == []
    assert environment.python("-c", USE, "twin") == "7\n"
    environment.pip("uninstall", "-y", "pools-twin")


def test_a_broken_plugin_stops_no_other(environment: Environment, tmp_path: Path) -> None:
    environment.install(str(plugin_wheel(tmp_path, "broken", plugin="import no_such_module")))
    environment.install(str(plugin_wheel(tmp_path, "mine")))
    ((name, origin, reason),) = problems(environment)
    assert (name, origin) == ("broken", "pools-broken 1.0")
    assert reason == "it does not import: ModuleNotFoundError: No module named 'no_such_module'"
    assert environment.python("-c", USE, "mine") == "7\n"
    environment.pip("uninstall", "-y", "pools-broken", "pools-mine")


def test_a_plugin_for_a_newer_core(environment: Environment, tmp_path: Path) -> None:
    """pip keeps it out; and where pip was told not to look, it is refused before it is imported."""
    core = report_version(environment)
    wheel = plugin_wheel(tmp_path, "newer", requires=["pools-core>=99"], plugin="raise SystemError('imported')")
    with pytest.raises(AssertionError, match="pools-core>=99"):
        environment.install(str(wheel))
    environment.install("--no-deps", str(wheel))
    reason = (
        f"it is for pools-core>=99, and this is pools-core {core}; "
        "for two that fit: pip install --upgrade pools-core pools-newer"
    )
    assert problems(environment) == [("newer", "pools-newer 1.0", reason)]
    assert environment.error("python", "-c", USE, "newer") == (
        f"pools.errors.PluginError: pool newer of pools-newer 1.0: {reason}"
    )
    environment.pip("uninstall", "-y", "pools-newer")


def report_version(environment: Environment) -> str:
    """The version of the core that is installed there."""
    return environment.pools("--version").split()[1]


def test_a_class_needs_no_plugin(environment: Environment, tmp_path: Path) -> None:
    modules = {"shop_pools": inline_pool("shop")}
    environment.install(str(make_wheel(tmp_path, "shop", "2.0", modules, {})))
    assert environment.python("-c", USE, "shop_pools:Pool") == "7\n"
    assert environment.pools("info", "shop_pools:Pool").splitlines()[0] == "shop"
    assert report(environment)["pools"] == []
    environment.pip("uninstall", "-y", "shop")


def test_an_editable_one_is_as_it_is_edited(environment: Environment, tmp_path: Path) -> None:
    source = tmp_path / "pools-edited"
    source.mkdir()
    (source / "pyproject.toml").write_text("""
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "pools-edited"
version = "1.0"
dependencies = ["pools-core"]

[project.entry-points."pools.plugins"]
edited = "edited_plugin"

[tool.hatch.build.targets.wheel]
only-include = ["edited_plugin.py", "edited_pool.py"]
""")
    (source / "edited_pool.py").write_text(inline_pool("edited"))
    for summary in ("before", "after"):
        (source / "edited_plugin.py").write_text(declaration("edited", f"summary={summary!r}"))
        if summary == "before":
            environment.install("--editable", str(source))
        (found,) = report(environment)["pools"]
        assert (found["name"], found["summary"]) == ("edited", summary)
    assert environment.python("-c", USE, "edited") == "7\n"
    environment.pip("uninstall", "-y", "pools-edited")


def test_a_plugin_in_a_zip_file(environment: Environment, tmp_path: Path) -> None:
    """A wheel on ``sys.path`` is a zip file with modules and metadata."""
    wheel = plugin_wheel(tmp_path, "zipped")
    path = f"import sys; sys.path.append({str(wheel)!r}); "
    assert environment.python("-c", path + USE, "zipped") == "7\n"
    code = path + "from pools.problems import problems; print(problems())"
    assert environment.python("-c", code) == "[]\n"


def test_an_egg_on_the_path(environment: Environment, tmp_path: Path) -> None:
    """As older tools left them: a zip file with the metadata in EGG-INFO."""
    egg = tmp_path / "pools_laid-1.0-py3.egg"
    with zipfile.ZipFile(egg, "w") as archive:
        archive.writestr("EGG-INFO/PKG-INFO", "Metadata-Version: 2.1\nName: pools-laid\nVersion: 1.0\n")
        archive.writestr("EGG-INFO/entry_points.txt", "[pools.plugins]\nlaid = laid_plugin\n")
        archive.writestr("EGG-INFO/requires.txt", "pools-core>=99\n")
        archive.writestr("laid_plugin.py", declaration("laid"))
        archive.writestr("laid_pool.py", inline_pool("laid"))
    program = f"import sys; sys.path.append({str(egg)!r}); {USE}"
    assert "it is for pools-core>=99" in environment.error("python", "-c", program, "laid")


def test_among_300_distributions(environment: Environment, tmp_path: Path) -> None:
    """Listing and opening stay quick; ``python -m benchmarks.discovery`` has the figures, this is the alarm."""
    environment.install(str(plugin_wheel(tmp_path, "mine")))
    command = [sys.executable, "-m", "benchmarks.discovery", "--python", str(environment.path / "bin" / "python")]
    found = json.loads(run(*command, "--pool", "mine", "--json", cwd=ROOT))
    assert found["distributions"] == 300
    assert found["list"] < 3.0
    assert found["open"] < 0.5
    environment.pip("uninstall", "-y", "pools-mine")
