"""Pools are found by their metadata, loaded alone, and one that is broken is told of and stops no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.fake_plugins import Site, declaration, inline_pool

OPEN = "import pools, json; pool = pools.open({!r}); print(json.dumps([pool.name, pool.state.value])); pool.stop()"


def test_names_come_from_the_metadata_alone(site: Site) -> None:
    site.pool("alpha")
    site.module("broken_plugin", "raise RuntimeError('imported')")
    site.distribution("pools-broken", {"pools.plugins": {"broken": "broken_plugin"}})
    names, modules = site.evaluate("import json, sys, pools; print(json.dumps([pools.names(), list(sys.modules)]))")
    assert {"alpha", "broken"} <= set(names)
    assert names == sorted(names)
    assert not {"alpha_plugin", "alpha_pool"} & set(modules)


def test_opening_a_pool_imports_nothing_of_another_plugin(site: Site) -> None:
    site.pool("alpha")
    site.pool("beta")
    code = "import json, sys, pools; pools.open('alpha').stop(); print(json.dumps(list(sys.modules)))"
    loaded = set(site.evaluate(code))
    assert {"alpha_plugin", "alpha_pool"} <= loaded
    assert not {"beta_plugin", "beta_pool"} & loaded


def test_a_declaration_is_read_without_its_pool(site: Site) -> None:
    site.pool("alpha", "summary='the first'")
    code = "import json, sys, pools; print(json.dumps([pools.spec('alpha').summary, 'alpha_pool' in sys.modules]))"
    assert site.evaluate(code) == ["the first", False]


@pytest.mark.parametrize(
    "code",
    [
        "import pools.spec; print(json.dumps(pools.spec('alpha').name))",
        "import pools, pools.spec as module; print(json.dumps(module.PoolSpec and pools.spec('alpha').name))",
        "from pools import spec; print(json.dumps(spec('alpha').name))",
        "from pools.spec import PoolSpec; import pools; print(json.dumps(pools.spec('alpha').name))",
    ],
)
def test_spec_is_a_function_and_a_module(site: Site, code: str) -> None:
    site.pool("alpha")
    assert site.evaluate(f"import json; {code}") == "alpha"


def test_an_alias_opens_its_pool_and_imports_nothing_of_another_plugin(site: Site) -> None:
    site.pool("alpha", "aliases=('first',)", aliases=["first"])
    site.pool("beta")
    assert site.evaluate(OPEN.format("first")) == ["alpha", "running"]
    code = "import json, sys, pools; pools.spec('first'); print(json.dumps('beta_plugin' in sys.modules))"
    assert site.evaluate(code) is False


def test_an_opened_pool_runs_jobs_with_the_options_it_was_given(site: Site) -> None:
    site.pool("alpha")
    code = """
import json, pools
with pools.open("alpha", 3, max_queued=5) as pool:
    print(json.dumps([pool.concurrency, pool.options.max_queued, pool.apply_async(max, (1, 2)).result(10)]))
"""
    assert site.evaluate(code) == [3, 5, 2]


def test_what_is_not_given_comes_from_the_configuration(site: Site) -> None:
    site.pool("alpha")
    (site.path / "pyproject.toml").write_text('[tool.pools]\nconcurrency = 7\npool = "beta"\nmax_queued = 9\n')
    code = """
import json, pools
with pools.open(max_queued=5) as pool:
    print(json.dumps([pool.name, pool.concurrency, pool.options.max_queued]))
"""
    assert site.evaluate(code, POOLS_POOL="alpha") == ["alpha", 7, 5]


def test_an_option_that_the_pool_does_not_take_is_refused(site: Site) -> None:
    site.pool("alpha")
    error = site.error("import pools; pools.open('alpha', colour='red')")
    assert error.startswith("pools.errors.UnsupportedError: ")
    assert "alpha" in error
    assert "colour" in error


def test_what_is_given_is_never_taken_as_not_given(site: Site) -> None:
    site.pool("alpha")
    assert site.error("import pools; pools.open('alpha', 0)").startswith("ValueError: concurrency must be")
    assert "a pool named ''" in site.error("import pools; pools.open('')")


def test_patch_is_require_or_off(site: Site) -> None:
    site.pool("alpha")
    error = site.error("import pools; pools.open('alpha', patch='on')")
    assert error == 'pools.errors.UsageError: patch=\'on\': not "require" or "off"'


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


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        (inline_pool("other"), "pool broken: name of broken_pool:Pool is 'other', declared is 'broken'"),
        (inline_pool("broken").replace("resize=True", ""), "pool broken: traits of broken_pool:Pool is Traits("),
        ("class Pool: ...", "pool broken: broken_pool:Pool is no subclass of pools.BasePool"),
        ("", "pool broken: broken_pool:Pool does not import: AttributeError"),
        ("import no_such", "pool broken: broken_pool:Pool does not import: ModuleNotFoundError"),
    ],
)
def test_a_class_that_is_not_what_was_declared_is_refused(site: Site, pool: str, reason: str) -> None:
    site.pool("broken")
    site.module("broken_pool", pool)
    assert site.error("import pools; pools.open('broken')").startswith(f"pools.errors.PluginError: {reason}")


def test_an_unknown_name_gives_the_close_matches_and_the_line_to_install_it(site: Site) -> None:
    site.pool("alpha")
    assert site.error("import pools; pools.open('alhpa')") == (
        "pools.errors.UnknownPoolError: no installed plugin offers a pool named 'alhpa' (did you mean alpha?); "
        "to install it: pip install pools-alhpa"
    )


def test_a_class_is_opened_without_an_entry_point(site: Site) -> None:
    site.module("mine", inline_pool("mine").replace("    name = 'mine'\n", '    """My pool."""\n'))
    assert site.evaluate(OPEN.format("mine:Pool")) == ["Pool", "running"]
    assert site.evaluate(OPEN.format("custom"), POOLS_CUSTOM_POOL="mine:Pool") == ["Pool", "running"]
    code = "import json, pools; print(json.dumps([pools.spec('mine:Pool').pool, pools.spec('mine:Pool').summary]))"
    assert site.evaluate(code) == ["mine:Pool", "My pool."]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("custom", "ConfigError: the pool custom is what POOLS_CUSTOM_POOL=module:Class says, and it is not set"),
        ("mine:Other", "PluginError: pool mine:Other: mine:Other does not import: AttributeError"),
        ("none:Pool", "PluginError: pool none:Pool: none:Pool does not import: ModuleNotFoundError"),
        ("mine:int", "PluginError: pool mine:int: mine:int is no subclass of pools.BasePool"),
        ("mine:", "PluginError: pool mine:: mine: does not import"),
    ],
)
def test_a_class_that_is_no_pool_is_refused(site: Site, name: str, reason: str) -> None:
    site.module("mine", "from builtins import int")
    assert site.error(f"import pools; pools.open({name!r})").startswith(f"pools.errors.{reason}")


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


def test_an_extension_is_asked_for_every_pool(site: Site) -> None:
    site.pool("alpha")
    site.extension(
        "extra", "from pools.hooks import hookimpl\n@hookimpl\ndef pools_configure(pool): print(pool.state.value)"
    )
    done = site.run("-c", "import pools; pools.open('alpha').stop()")
    assert (done.stdout, done.stderr) == ("new\n", "")


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


def test_what_is_installed_while_the_program_runs_is_seen_after_a_refresh(site: Site) -> None:
    code = """
import json
from pathlib import Path
import pools, pools.discovery
from tests.core.fake_plugins import Site
before = "alpha" in pools.names()
Site(Path.cwd()).pool("alpha")
unseen = "alpha" in pools.names()
pools.discovery.refresh()
print(json.dumps([before, unseen, "alpha" in pools.names(), pools.spec("alpha").name]))
"""
    path = f"{site.path}:{Path(__file__).parents[2]}"
    assert site.evaluate(code, PYTHONPATH=path) == [False, False, True, "alpha"]


def test_half_of_a_distribution_stops_no_other(site: Site) -> None:
    site.pool("alpha")
    site.pool("half")
    (site.path / "pools_half-1.0.dist-info" / "METADATA").unlink()
    assert {"alpha", "half"} <= set(site.evaluate("import json, pools; print(json.dumps(pools.names()))"))


def test_among_300_distributions_names_are_quick_and_nothing_is_kept_on_disk(site: Site) -> None:
    for number in range(300):
        site.distribution(f"other-{number}", {"console_scripts": {f"other-{number}": "other:main"}})
    site.pool("alpha")
    cache = site.path / "cache"
    code = """
import json, time
import pools, pools.registry
begun = time.process_time()
names = pools.names()
print(json.dumps([time.process_time() - begun, "alpha" in names]))
"""
    seconds, found = site.evaluate(code, XDG_CACHE_HOME=str(cache))
    assert found
    assert seconds < 0.2
    site.evaluate(OPEN.format("alpha"), XDG_CACHE_HOME=str(cache))
    assert not cache.exists()
