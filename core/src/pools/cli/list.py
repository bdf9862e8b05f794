"""``pools list``: the installed pools, and what is wrong with any plugin."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from pools.cli.output import print_table
from pools.cli.traits import at_a_glance
from pools.discovery import EXTENSIONS, Plugin, declared_pool, installed
from pools.errors import PluginError
from pools.problems import problems
from pools.spec import PoolSpec


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_(as_json: bool) -> None:
    """Show the installed pools, and what is wrong with any."""
    pools = [(plugin, _declared(plugin)) for plugin in installed()]
    if as_json:
        print(json.dumps(_report(pools), indent=2))
        return
    if pools:
        print_table(("POOL", "DISTRIBUTION", "TRAITS"), [_row(plugin, declared) for plugin, declared in pools])
    else:
        print("No pool is installed: pip install pools-core[all]")
    if extensions := installed(EXTENSIONS):
        print()
        print_table(("EXTENSION", "DISTRIBUTION"), [(extension.name, extension.origin) for extension in extensions])
    if found := problems():
        print()
        print_table(("PROBLEM", "DISTRIBUTION", "REASON"), [dataclasses.astuple(problem) for problem in found])


def _declared(plugin: Plugin) -> PoolSpec | None:
    try:
        return declared_pool(plugin)
    except PluginError:
        return None  # the table of problems has the reason


def _row(plugin: Plugin, declared: PoolSpec | None) -> tuple[str, str, str]:
    if declared is None:
        return plugin.name, plugin.origin, "unusable"
    aliases = f" ({', '.join(declared.aliases)})" if declared.aliases else ""
    return plugin.name + aliases, plugin.origin, at_a_glance(declared.traits) or "-"


def _report(pools: list[tuple[Plugin, PoolSpec | None]]) -> dict[str, Any]:
    return {
        "pools": [
            {
                "name": plugin.name,
                "distribution": plugin.distribution,
                "version": plugin.version,
                "module": plugin.module,
                "summary": declared.summary if declared else None,
                "aliases": declared.aliases if declared else None,
                "traits": dataclasses.asdict(declared.traits) if declared else None,
            }
            for plugin, declared in pools
        ],
        "extensions": [
            {"name": extension.name, "distribution": extension.distribution, "version": extension.version}
            for extension in installed(EXTENSIONS)
        ],
        "problems": [dataclasses.asdict(problem) for problem in problems()],
    }
