"""What is wrong with installed plugins, and why; nothing here keeps another pool from being opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pools.discovery import ALIASES, EXTENSIONS, Plugin, declared_pool, installed, load
from pools.errors import PluginError
from pools.registry import CUSTOM, owners


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something installed cannot be used, or not as it says.

    Attributes:
        name: The name of the pool, the alias or the extension.
        origin: The distribution that it came with, and its version.
        reason: What is wrong, in one line.
    """

    name: str
    origin: str
    reason: str


def problems() -> list[Problem]:
    """Load every installed plugin, pools and extensions, and return whatever is wrong with any of them."""
    return [
        Problem(plugin.name, plugin.origin, " ".join(reason.split()))
        for group, reasons in (
            (installed(), _of_pool),
            (installed(ALIASES), _of_alias),
            (installed(EXTENSIONS), _of_extension),
        )
        for plugin in group
        for reason in reasons(plugin)
    ]


def _of_pool(plugin: Plugin) -> Iterator[str]:
    if plugin.name == CUSTOM:
        yield f"the name {CUSTOM} is taken: it stands for POOLS_CUSTOM_POOL"
    for other in installed():
        if other.name == plugin.name and other != plugin:
            yield f"the name {plugin.name} is also claimed by {other.origin}"
    try:
        declared = declared_pool(plugin)
    except PluginError as error:
        yield str(error).removeprefix(f"{plugin.label}: ")
        return
    known = {alias.name for alias in installed(ALIASES) if plugin in owners(alias)}
    for alias in declared.aliases:
        if alias not in known:
            yield f"its alias {alias} is unknown to the metadata: it needs an entry point {alias} in {ALIASES}"


def _of_alias(alias: Plugin) -> Iterator[str]:
    pools = owners(alias)
    if not pools:
        yield f"the alias {alias.name} is for {alias.module}, which is no plugin of {alias.distribution}"
    for other in (*installed(), *installed(ALIASES)):
        if other.name == alias.name and other != alias:
            yield f"the alias {alias.name} is also claimed by {other.label}"
    for pool in pools:
        try:
            declared = declared_pool(pool)
        except PluginError:
            continue  # a problem of the pool, which has it on its own line
        if alias.name not in declared.aliases:
            yield f"the alias {alias.name} is not among those that pool {pool.name} declares"


def _of_extension(extension: Plugin) -> Iterator[str]:
    try:
        load(extension)
    except PluginError as error:
        yield str(error).removeprefix(f"{extension.label}: ")
