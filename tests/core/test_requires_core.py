"""A plugin for another core is refused with both versions named, before anything of it is imported."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pools.compatibility import allows
from tests.core.fake_plugins import OPEN, Site, declaration, inline_pool

CORE = version("pools-core")
MODULE = declaration("newer", "colour='red'")
REASON = (
    f"it is for pools-core{{}}, and this is pools-core {CORE}; "
    "for two that fit: pip install --upgrade pools-core pools-newer"
)


def reasons(site: Site) -> list[list[str]]:
    """What ``pools list`` says of the plugin."""
    found: list[list[str]] = site.evaluate(
        "import json; from pools.problems import problems\n"
        "print(json.dumps([[p.origin, p.reason] for p in problems() if p.name == 'newer']))"
    )
    return found


def newer(site: Site, *requires: str, module: str = MODULE) -> None:
    """Add a plugin that depends on a core."""
    site.module("newer_plugin", module)
    site.module("newer_pool", inline_pool("newer"))
    site.distribution("pools-newer", {"pools.plugins": {"newer": "newer_plugin"}}, "7.1", requires)


@pytest.mark.parametrize(
    ("requirement", "specifier"),
    [
        ("pools-core>=99", ">=99"),
        ("pools-core[testing] (~=99.1)", "~=99.1"),
        ("Pools.Core==99.*", "==99.*"),
        ("pools_core<0.0.1", "<0.0.1"),
    ],
)
def test_what_its_distribution_depends_on_is_looked_at_before_it_is_imported(
    site: Site, requirement: str, specifier: str
) -> None:
    newer(site, "six>=1", requirement, module="raise SystemError('imported')")
    site.pool("alpha")
    reason = REASON.format(specifier)
    assert site.error("import pools; pools.open('newer')") == (
        f"pools.errors.PluginError: pool newer of pools-newer 7.1: {reason}"
    )
    assert reasons(site) == [["pools-newer 7.1", reason]]
    assert site.evaluate(OPEN.format("alpha")) == ["alpha", "running"]


@pytest.mark.parametrize(
    "requirement",
    ["pools-core", f"pools-core~={CORE}", "pools-core>=0.0.1", "pools-core>=99; extra == 'new'", "pools-core-x>=99"],
)
def test_a_plugin_for_this_core_is_opened(site: Site, requirement: str) -> None:
    newer(site, requirement, module=declaration("newer"))
    assert site.evaluate(OPEN.format("newer")) == ["newer", "running"]


def test_what_its_spec_requires_is_looked_at_too(site: Site) -> None:
    newer(site, module=declaration("newer", "requires_core='>=99,<100'"))
    assert reasons(site) == [["pools-newer 7.1", REASON.format(">=99,<100")]]
    done = site.command("info", "newer")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"pools: pool newer of pools-newer 7.1: {REASON.format('>=99,<100')}\n"


def test_a_requirement_that_is_none_is_refused(site: Site) -> None:
    newer(site, module=declaration("newer", "requires_core='new enough'"))
    ((_, reason),) = reasons(site)
    assert reason.startswith("what it requires of pools-core is no version specifier: 'new enough' is none")


def test_pools_list_shows_it_as_a_problem(site: Site) -> None:
    newer(site, "pools-core>=99")
    shown = site.command("list", COLUMNS="200").stdout
    assert "unusable" in shown
    assert f"it is for pools-core>=99, and this is pools-core {CORE}" in shown


def test_a_distribution_that_another_one_hides_does_not_count(site: Site) -> None:
    """As with modules, the first on ``sys.path`` is the one that is there."""
    site.pool("alpha")
    other = Site(site.path / "other")
    other.path.mkdir()
    other.distribution("pools-alpha", {"pools.plugins": {"ancient": "ancient_plugin"}}, "0.1")
    path = f"{site.path}:{other.path}:{site.path}"
    names = site.evaluate("import json, pools; print(json.dumps(pools.names()))", PYTHONPATH=path)
    assert names.count("alpha") == 1
    assert "ancient" not in names


_NUMBERS = st.lists(st.integers(0, 2), min_size=1, max_size=3).map(lambda numbers: ".".join(map(str, numbers)))
_ENDS = st.sampled_from(["", "", "", "a1", "b0", "rc1", ".dev0", ".post1", "rc1.dev2", ".post1.dev1"])
_VERSIONS = st.builds("{}{}{}".format, st.sampled_from(["", "", "1!"]), _NUMBERS, _ENDS)
_CLAUSES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["~=", "==", "!=", "<=", ">=", "<", ">"]),
    _VERSIONS,
    st.sampled_from(["", "", ".*"]),
)


@given(st.lists(_CLAUSES, max_size=2).map(",".join), _VERSIONS, st.sampled_from(["", "+here"]))
def test_specifiers_mean_what_they_mean_to_pip(specifier: str, version: str, local: str) -> None:
    try:
        expected = SpecifierSet(specifier).contains(version + local, prereleases=True)
    except InvalidSpecifier:
        return
    assert allows(specifier, version + local) is expected
