"""``pools info`` shows everything that a pool declares."""

from __future__ import annotations

import dataclasses
import json

from pools.cli.traits import at_a_glance, explained
from pools.spec import HARD_TIMEOUTS, Traits
from tests.core.fake_plugins import Site, inline_pool


def shown(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_everything_declared_is_shown(site: Site) -> None:
    site.patched_pool("green", conflicts=["blue"], before=["ssl", "queue"])
    site.module(
        "green_plugin",
        (site.path / "green_plugin.py")
        .read_text()
        .replace(
            "traits=", "summary='Green slots.', aliases=('verdant',), options=(Option('size', 'How big.', 3),), traits="
        ),
    )
    done = site.command("info", "green")
    assert (done.returncode, done.stderr) == (0, "")
    lines = shown(done.stdout)
    assert lines[0] == "green: Green slots."
    for line in (
        "distribution pools-green 1.0",
        "class green_pool:Pool",
        "aliases verdant",
        "resize yes grow and shrink work while jobs run",
        "hard_timeout - what ends a job past its timeout",
        "OPTION ENVIRONMENT VALUE DEFAULT MEANING",
        "size POOLS_SIZE TEXT 3 How big.",
        "PATCH green",
        "added by the pool",
        "applied by green_patch",
        "replaces parts of time",
        "comes before ssl, queue",
        "conflicts with blue",
        "thread GREEN_THREAD TEXT Y Patch threads.",
    ):
        assert line in lines


def test_json(site: Site) -> None:
    site.patched_pool("green", conflicts=["blue"])
    done = site.command("info", "green", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    declared = json.loads(done.stdout)
    assert declared["distribution"] == "pools-green 1.0"
    assert declared["pool"] == "green_pool:Pool"
    assert declared["traits"]["resize"] is True
    assert declared["patches"][0]["conflicts"] == ["blue"]
    assert declared["patches"][0]["options"][0]["env"] == "GREEN_THREAD"


def test_a_class_without_a_plugin(site: Site) -> None:
    site.module("mine", inline_pool("mine"))
    lines = shown(site.command("info", "mine:Pool").stdout)
    assert lines[0] == "mine"
    assert "distribution -" in lines
    assert "class mine:Pool" in lines


def test_nothing_of_the_pool_is_imported(site: Site) -> None:
    site.pool("alpha")
    site.module("alpha_pool", "raise RuntimeError")
    assert site.command("info", "alpha").returncode == 0


def test_every_trait_is_explained() -> None:
    fields = [field.name for field in dataclasses.fields(Traits)]
    assert [name for name, _, _ in explained(Traits())] == fields
    assert all(meaning for _, _, meaning in explained(Traits()))


def test_traits_at_a_glance() -> None:
    assert at_a_glance(Traits()) == ""
    traits = Traits(is_green=True, hard_timeout="throw", max_concurrency=1)
    assert at_a_glance(traits) == "is_green, hard_timeout=throw, max_concurrency=1"
    assert ("hard_timeout", "throw", HARD_TIMEOUTS["throw"]) in explained(traits)
