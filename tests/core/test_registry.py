"""Pools are found by their metadata, loaded alone and opened by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.fake_plugins import OPEN, Site, inline_pool


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


def test_an_extension_is_asked_for_every_pool(site: Site) -> None:
    site.pool("alpha")
    site.extension(
        "extra", "from pools.hooks import hookimpl\n@hookimpl\ndef pools_configure(pool): print(pool.state.value)"
    )
    done = site.run("-c", "import pools; pools.open('alpha').stop()")
    assert (done.stdout, done.stderr) == ("new\n", "")


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
