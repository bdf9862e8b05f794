"""What is wrong with installed plugins is told of, and stops no pool that works."""

from __future__ import annotations

import pytest

from tests.core.fake_plugins import OPEN, Site, declaration


def test_a_name_that_two_distributions_claim_names_both_and_stops_no_other(site: Site) -> None:
    for letter in "az":
        site.module(f"twin_{letter}", declaration("twin"))
        site.distribution(
            f"pools-{letter}", {"pools.plugins": {f"{letter}-before": "x", "twin": f"twin_{letter}", "zz": "x"}}
        )
    site.pool("alpha")
    assert site.error("import pools; pools.open('twin')") == (
        "pools.errors.PluginError: the pool name twin is claimed by pools-a 1.0 and by pools-z 1.0: "
        "uninstall one of them"
    )
    assert "twin" not in site.evaluate("import json, pools; print(json.dumps(pools.names()))")
    reasons = site.evaluate(
        "import json; from pools.problems import problems\n"
        "print(json.dumps([(p.origin, p.reason) for p in problems() if p.name == 'twin']))"
    )
    assert reasons == [
        ["pools-a 1.0", "the name twin is also claimed by pools-z 1.0"],
        ["pools-z 1.0", "the name twin is also claimed by pools-a 1.0"],
    ]
    assert site.evaluate(OPEN.format("alpha")) == ["alpha", "running"]


BROKEN = {
    "import error": ("import no_such_module", "it does not import: ModuleNotFoundError: No module named"),
    "exit": ("import sys; sys.exit('bye')", "it does not import: SystemExit: bye"),
    "assertion": ("assert False, 'no'", "it does not import: AssertionError: no"),
    "no hook": ("", "broken_plugin does not implement pools_pool()"),
    "no spec": (declaration("broken").replace("return PoolSpec", "return str"), "pools_pool() raised TypeError"),
    "nothing": (declaration("broken").replace("return PoolSpec", "PoolSpec"), "pools_pool() returned None"),
    "malformed": (declaration("broken", "aliases='no tuple'"), "aliases of pool broken is not a tuple of str"),
    "other name": (declaration("other"), "its spec is named 'other', and its entry point 'broken'"),
    "misspelt": (
        declaration("broken", extra="@hookimpl\ndef pools_configur(pool): ..."),
        "unknown hook 'pools_configur'",
    ),
    "argument": (
        declaration("broken", extra="@hookimpl\ndef pools_configure(pol): ..."),
        "Argument(s) {'pol'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "no wrapper": (
        declaration("broken", extra="@hookimpl\ndef pools_run_job(pool, job): ..."),
        "its pools_run_job is no wrapper: decorate it with @hookimpl(wrapper=True)",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_told_of_and_stops_no_other(site: Site, kind: str) -> None:
    source, reason = BROKEN[kind]
    site.module("broken_plugin", source)
    site.distribution("pools-broken", {"pools.plugins": {"broken": "broken_plugin"}})
    site.pool("alpha")
    assert site.evaluate(OPEN.format("alpha")) == ["alpha", "running"]
    error = site.error("import pools; pools.open('broken')")
    assert error.startswith("pools.errors.PluginError: pool broken of pools-broken 1.0: ")
    assert reason in error
    found = site.evaluate(
        "import json; from pools.problems import problems\n"
        "print(json.dumps([p.reason for p in problems() if p.name == 'broken']))"
    )
    assert len(found) == 1
    assert reason in found[0]


def test_a_plugin_cannot_have_the_name_custom(site: Site) -> None:
    site.pool("custom")
    code = """
import json, pools
from pools.problems import problems
print(json.dumps([pools.names(), [p.reason for p in problems() if p.name == "custom"]]))
"""
    names, reasons = site.evaluate(code)
    assert "custom" not in names
    assert reasons == ["the name custom is taken: it stands for POOLS_CUSTOM_POOL"]


def test_aliases_that_do_not_fit_are_told_of_and_the_pools_open(site: Site) -> None:
    site.pool("alpha", "aliases=('unlisted', 'beta', 'both')", aliases=["undeclared", "beta", "both"])
    site.pool("beta", "aliases=('both',)", aliases=["both"])
    site.distribution("pools-stray", {"pools.aliases": {"stray": "nowhere"}})
    code = """
import json
from pools.problems import problems
ours = {"alpha", "beta", "unlisted", "undeclared", "both", "stray"}
print(json.dumps([f"{p.name}: {p.reason}" for p in problems() if p.name in ours]))
"""
    assert site.evaluate(code) == [
        "alpha: its alias unlisted is unknown to the metadata: it needs an entry point unlisted in pools.aliases",
        "beta: the alias beta is also claimed by pool beta of pools-beta 1.0",
        "both: the alias both is also claimed by alias both of pools-beta 1.0",
        "both: the alias both is also claimed by alias both of pools-alpha 1.0",
        "stray: the alias stray is for nowhere, which is no plugin of pools-stray",
        "undeclared: the alias undeclared is not among those that pool alpha declares",
    ]
    assert site.evaluate(OPEN.format("alpha")) == ["alpha", "running"]
    assert site.evaluate(OPEN.format("beta")) == ["beta", "running"]
    assert "is claimed by pools-alpha 1.0 and by pools-beta 1.0" in site.error("import pools; pools.open('both')")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such", "extension extra of pools-extra 1.0: it does not import: ModuleNotFoundError"),
        (declaration("extra"), "extension extra of pools-extra 1.0: an extension declares no pool"),
    ],
)
def test_a_broken_extension_is_warned_of_and_stops_no_pool(site: Site, source: str, reason: str) -> None:
    site.pool("alpha")
    site.extension("extra", source)
    done = site.run("-c", "import pools; pools.open('alpha').stop()")
    assert done.returncode == 0
    assert f"PluginWarning: left out: {reason}" in done.stderr
    code = "from pools.problems import problems; print(*[p.reason for p in problems() if p.name == 'extra'])"
    assert reason.partition("1.0: ")[2] in site.run("-c", code).stdout


def test_half_of_a_distribution_stops_no_other(site: Site) -> None:
    site.pool("alpha")
    site.pool("half")
    (site.path / "pools_half-1.0.dist-info" / "METADATA").unlink()
    assert {"alpha", "half"} <= set(site.evaluate("import json, pools; print(json.dumps(pools.names()))"))
