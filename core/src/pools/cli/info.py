"""``pools info``: everything that a pool declares."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import click

from pools import config, registry
from pools.cli.output import print_table
from pools.cli.traits import explained
from pools.patching.needs import Need, needs
from pools.spec import Option, PoolSpec


@click.command("info")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def info(name: str, as_json: bool) -> None:
    """Show everything that the pool NAME declares.

    NAME is that of a pool or an alias, module:Class, or custom.
    """
    declared = registry.use(name)
    options = tuple(dataclasses.replace(option, env=config.variable(option)) for option in declared.options)
    declared = dataclasses.replace(declared, options=options)
    origin = _origin(name)
    patches = needs(declared)
    if as_json:
        report = {"distribution": origin, **dataclasses.asdict(declared)}
        report["patches"] = [{**dataclasses.asdict(need.requirement), "added_by": need.added_by} for need in patches]
        print(json.dumps(report, indent=2, default=str))
        return
    _show(declared, origin)
    for need in patches:
        print()
        _show_patch(need)


def _origin(name: str) -> str | None:
    """Return the distribution of a pool and its version; None for one that no distribution offers."""
    return None if registry.is_custom(name) else registry.find(name).origin


def _show(declared: PoolSpec, origin: str | None) -> None:
    print(f"{declared.name}: {declared.summary}" if declared.summary else declared.name)
    print()
    rows = [
        ("distribution", origin or "-"),
        ("class", declared.pool),
        ("aliases", ", ".join(declared.aliases) or "-"),
        ("requires pools-core", declared.requires_core or "-"),
    ]
    print_table(("DECLARED", ""), rows)
    print()
    print_table(("TRAIT", "VALUE", "MEANING"), explained(declared.traits))
    if declared.options:
        print()
        _show_options("OPTION", declared.options)


def _show_patch(need: Need) -> None:
    patch = need.requirement
    rows = [
        ("added by", need.added_by or "the pool"),
        ("applied by", patch.module),
        ("replaces parts of", ", ".join(patch.replaces) or "-"),
        ("comes before", ", ".join(patch.before) or "-"),
        ("conflicts with", ", ".join(patch.conflicts) or "-"),
    ]
    print_table((f"PATCH {patch.name}", ""), rows)
    if patch.options:
        print()
        _show_options(f"OPTION OF PATCH {patch.name}", patch.options)


def _show_options(title: str, options: Sequence[Option]) -> None:
    rows = [
        (
            option.name,
            option.env or "-",
            option.written,
            "-" if option.default is None else str(option.default),
            option.help,
        )
        for option in options
    ]
    print_table((title, "ENVIRONMENT", "VALUE", "DEFAULT", "MEANING"), rows)
