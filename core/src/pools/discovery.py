"""Finding plugins: what the installed metadata says, and how one plugin of it is loaded and checked.

Stevedore finds and loads, over our own reading of the metadata: its cache on disk can miss a plugin that was installed
a minute ago, and its managers import every plugin of a group to learn their names.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint
from types import ModuleType
from typing import Any

from stevedore import DriverManager

from pools import hooks
from pools.compatibility import CORE, allows, core_version, dependencies_on_core
from pools.errors import PluginError
from pools.metadata import distributions_with
from pools.spec import PoolSpec

PLUGINS = "pools.plugins"
ALIASES = "pools.aliases"
EXTENSIONS = "pools.extensions"

#: What the names of these groups begin with.
_PREFIX = "pools."
_KINDS = {PLUGINS: "pool", ALIASES: "alias", EXTENSIONS: "extension"}


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point, as the installed metadata has it; nothing of it is imported.

    Attributes:
        group: The group of the entry point: ``pools.plugins``, ``pools.aliases`` or ``pools.extensions``.
        name: The name of the entry point: of the pool, where it is a pool's.
        module: The module with the hook implementations.
        distribution: The name of the distribution that it came with.
        version: The version of that distribution.
        requires_core: The version specifiers of that distribution's dependencies on the core.
        entry_point: The entry point itself, which loads the module.
    """

    group: str
    name: str
    module: str
    distribution: str
    version: str
    requires_core: tuple[str, ...]
    entry_point: EntryPoint = field(repr=False, compare=False)

    @property
    def origin(self) -> str:
        """The distribution and its version, as messages name them."""
        return f"{self.distribution} {self.version}".rstrip()

    @property
    def label(self) -> str:
        """What it is and where it came from, as messages name it."""
        return f"{_KINDS[self.group]} {self.name} of {self.origin}"


def installed(group: str = PLUGINS) -> tuple[Plugin, ...]:
    """Return every entry point of a group, by name, from the metadata of the installed distributions alone."""
    return _read(tuple(sys.path))[group]


def refresh() -> None:
    """Forget what was read of the metadata and loaded of plugins, because distributions came or went."""
    importlib.invalidate_caches()
    _read.cache_clear()
    load.cache_clear()
    declared_pool.cache_clear()
    core_version.cache_clear()


@functools.cache
def _read(path: tuple[str, ...]) -> dict[str, tuple[Plugin, ...]]:
    """Read the metadata of what is installed on ``path``, which is ``sys.path``; for all groups at once."""
    found = [plugin for distribution in distributions_with(_PREFIX) for plugin in _plugins(distribution)]
    return {
        group: tuple(sorted((p for p in found if p.group == group), key=lambda p: (p.name, p.distribution)))
        for group in _KINDS
    }


def _plugins(distribution: Distribution) -> Iterator[Plugin]:
    # Half of a distribution, without its METADATA, has none of it; and it must not keep the others from being found.
    # Asked for once: it is parsed anew each time. That of an egg has its dependencies elsewhere.
    metadata: Any = distribution.metadata
    name, version = metadata.get("Name", "") or "?", metadata.get("Version", "")
    requires_core = dependencies_on_core(metadata.get_all("Requires-Dist") or distribution.requires or [])
    for point in distribution.entry_points:
        if point.group in _KINDS:
            yield Plugin(point.group, point.name, point.value, name, version, requires_core, point)


class _Driver(DriverManager[ModuleType]):
    """Stevedore's loader of exactly one plugin, over the entry points that it is given."""

    def __init__(self, plugin: Plugin) -> None:
        self._entry_points = [plugin.entry_point]
        super().__init__(plugin.group, plugin.name)

    def list_entry_points(self) -> list[EntryPoint]:
        return self._entry_points


@functools.cache
def load(plugin: Plugin) -> object:
    """Import one plugin and check its hook implementations, apart from all others.

    Returns:
        What has the hook implementations: the plugin's module.

    Raises:
        PluginError: It is for another core, does not import, or implements a hook that there is not.
    """
    for specifier in plugin.requires_core:
        _require_core(plugin, specifier)
    try:
        module = _Driver(plugin).driver
    except (Exception, SystemExit) as error:
        raise PluginError(f"{plugin.label}: it does not import: {type(error).__name__}: {error}") from error
    try:
        declares_pool = hooks.verify(module).hook.pools_pool.get_hookimpls()
    except PluginError as error:
        raise PluginError(f"{plugin.label}: {error}") from error
    if plugin.group == EXTENSIONS and declares_pool:
        raise PluginError(f"{plugin.label}: an extension declares no pool; its entry point belongs to {PLUGINS}")
    if plugin.group == PLUGINS and not declares_pool:
        raise PluginError(f"{plugin.label}: {plugin.module} does not implement pools_pool()")
    return module


@functools.cache
def declared_pool(plugin: Plugin) -> PoolSpec:
    """Return what a plugin of the group ``pools.plugins`` declares about its pool.

    Raises:
        PluginError: It cannot be loaded, or what it declares is malformed.
    """
    module = load(plugin)
    try:
        spec = hooks.verify(module).hook.pools_pool()
    except Exception as error:
        raise PluginError(f"{plugin.label}: pools_pool() raised {type(error).__name__}: {error}") from error
    if not isinstance(spec, PoolSpec):
        raise PluginError(f"{plugin.label}: pools_pool() returned {spec!r}, not a PoolSpec")
    if spec.name != plugin.name:
        raise PluginError(f"{plugin.label}: its spec is named {spec.name!r}, and its entry point {plugin.name!r}")
    _require_core(plugin, spec.requires_core)
    return spec


def _require_core(plugin: Plugin, specifier: str) -> None:
    try:
        allowed = allows(specifier, core_version())
    except ValueError as error:
        raise PluginError(f"{plugin.label}: what it requires of {CORE} is no version specifier: {error}") from error
    if not allowed:
        raise PluginError(
            f"{plugin.label}: it is for {CORE}{specifier}, and this is {CORE} {core_version()}; "
            f"for two that fit: pip install --upgrade {CORE} {plugin.distribution}"
        )
