"""Pools by name: which there are, what each declares, and how one is opened."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any, Literal

from pools import config, hooks, strangers
from pools.discovery import ALIASES, EXTENSIONS, Plugin, declared_pool, installed, load
from pools.errors import PluginError, PluginWarning, UnknownPoolError, UsageError
from pools.patching import apply, opening
from pools.spec import PoolSpec

if TYPE_CHECKING:
    from pools.pool import BasePool

#: The name of the pool that ``POOLS_CUSTOM_POOL`` stands for; no plugin can have it.
CUSTOM = "custom"


def names() -> list[str]:
    """Return the names of the installed pools, in order, from the installed metadata alone.

    A name that two distributions claim is not among them: see :func:`pools.problems.problems`. What is installed while
    the program runs is seen after :func:`pools.discovery.refresh`.
    """
    claimed = [plugin.name for plugin in installed() if plugin.name != CUSTOM]
    return [name for name in claimed if claimed.count(name) == 1]


def find(name: str) -> Plugin:
    """Return the plugin that offers a pool, from the installed metadata alone.

    Args:
        name: The name of a pool, or one of its aliases.

    Raises:
        PluginError: Two distributions claim the name.
        UnknownPoolError: None does.
    """
    claimants = [plugin for plugin in installed() if plugin.name == name]
    claimants = claimants or [owner for alias in installed(ALIASES) if alias.name == name for owner in owners(alias)]
    if len(claimants) == 1:
        return claimants[0]
    if claimants:
        origins = " and by ".join(plugin.origin for plugin in claimants)
        raise PluginError(f"the pool name {name} is claimed by {origins}: uninstall one of them")
    raise UnknownPoolError(_unknown(name))


def owners(alias: Plugin) -> list[Plugin]:
    """Return the plugins that an entry point of ``pools.aliases`` speaks of: those with its module, of its origin."""
    return [plugin for plugin in installed() if (plugin.module, plugin.origin) == (alias.module, alias.origin)]


def spec(name: str) -> PoolSpec:
    """Return what a pool declares.

    Args:
        name: The name of a pool or an alias, ``"module:Class"``, or ``"custom"``.

    Raises:
        UnknownPoolError: There is no such pool.
        PluginError: There is, and it cannot be used.
    """
    if not is_custom(name):
        return declared_pool(find(name))
    reference = config.custom_pool() if name == CUSTOM else name
    pool = _import_class(reference, f"pool {reference}")
    summary = (pool.__doc__ or "").strip().partition("\n")[0]
    try:
        return PoolSpec(name=pool.name, pool=reference, summary=summary, traits=pool.traits)
    except ValueError as error:
        raise PluginError(f"pool {reference}: {error}") from error


def pool_class(name: str) -> type[BasePool]:
    """Return the class of a pool, imported from where its spec says.

    Args:
        name: As for :func:`spec`.

    Raises:
        UnknownPoolError: There is no such pool.
        PluginError: It cannot be imported, or differs from what the plugin declares.
    """
    declared = spec(name)
    pool = _import_class(declared.pool, f"pool {declared.name}")
    for attribute in ("name", "traits"):
        value, said = getattr(pool, attribute), getattr(declared, attribute)
        if value != said:
            raise PluginError(
                f"pool {declared.name}: {attribute} of {declared.pool} is {value!r}, declared is {said!r}"
            )
    return pool


def use(name: str) -> PoolSpec:
    """Load the plugin of a pool and every extension, so that their hooks are asked from now on; return the spec.

    An extension that cannot be used is left out with a :class:`pools.errors.PluginWarning`.

    Raises:
        UnknownPoolError: There is no such pool.
        PluginError: There is, and it cannot be used.
    """
    declared = spec(name)
    if not is_custom(name):
        plugin = find(name)
        hooks.register(load(plugin), plugin.label)
    use_extensions()
    return declared


def use_extensions() -> None:
    """Load every extension, so that its hooks are asked from now on; one that cannot be used is warned of."""
    for extension in installed(EXTENSIONS):
        try:
            hooks.register(load(extension), extension.label)
        except PluginError as error:
            warnings.warn(f"left out: {error}", PluginWarning, stacklevel=4)


def extensions_in_children() -> tuple[tuple[str, str], ...]:
    """Return the extensions in use that have anything to do in child processes.

    Returns:
        The module and the label of each, which is all that a fresh interpreter needs to register it: to find out by
        itself what is installed would take it longer than all else that it does to come up.
    """
    acting = hooks.acting_in_children()
    return tuple((each.module, each.label) for each in installed(EXTENSIONS) if each.label in acting)


def patch(name: str) -> None:
    """Apply the patches of a pool, once in a process. It belongs before every other import of the program.

    Raises:
        UnknownPoolError: There is no such pool.
        PluginError: There is, and it cannot be used.
        PatchError: A patch conflicts with one that was applied, or fails.
    """
    apply.apply(use(name))


def open(
    name: str | None = None,
    concurrency: int | Literal["auto"] | None = None,
    *,
    patch: Literal["require", "off"] = "require",
    patch_audit: Literal["warn", "error", "off"] | None = None,
    **options: Any,
) -> BasePool:
    """Make a pool, start it and return it running.

    What is not given comes from the environment (``POOLS_POOL``, ``POOLS_CONCURRENCY``, ``POOLS_TIMEOUT`` …), from
    ``[tool.pools]`` of the project's ``pyproject.toml``, or is the default.

    Args:
        name: The name of a pool or an alias, ``"module:Class"``, or ``"custom"`` for ``POOLS_CUSTOM_POOL``.
        concurrency: How many jobs may run at once; ``"auto"`` for the processors that this process may use.
        patch: ``"off"`` opens a pool whose patches were not applied.
        patch_audit: What to do about code that has originals of what the patches replaced: ``"warn"``, the default,
            with a :class:`pools.errors.PatchWarning`, ``"error"``, or ``"off"``.
        options: As the pool takes them.

    Raises:
        UnknownPoolError: There is no such pool.
        PluginError: There is, and it cannot be used.
        PatchError: The pool needs a patch that was not applied, or that came too late and ``patch_audit`` is
            ``"error"``.
        UnsupportedError: The pool does not take one of the options, given or configured.
        ConfigError: A setting of the environment or the project has no meaning.
    """
    if patch not in ("require", "off"):
        raise UsageError(f'patch={patch!r}: not "require" or "off"')
    if name is None:
        name = config.pool_name() or config.DEFAULT_POOL
    declared = use(name)
    strangers.refuse(declared)
    settings = {key: setting.value for key, setting in config.settings(declared).items()}
    for key in ("pool", "custom_pool"):
        settings.pop(key, None)
    audit = opening.mode(patch_audit, settings.pop("patch_audit", "warn"))
    configured_concurrency = settings.pop("concurrency", None)
    concurrency = configured_concurrency if concurrency is None else concurrency
    if patch == "require":
        apply.require(declared)
    opening.audit(declared, audit)
    pool = pool_class(name)(concurrency, **{**settings, **options})
    hooks.manager.hook.pools_configure(pool=pool)
    pool.start()
    return pool


def is_custom(name: str) -> bool:
    """Return whether a name is for a class without a plugin: ``"module:Class"``, or ``"custom"``."""
    return name == CUSTOM or ":" in name


def _import_class(reference: str, label: str) -> type[BasePool]:
    # Imported here: the registry is at work before the standard library is patched, and pools.pool is for afterwards.
    from pools.pool import BasePool

    module, _, path = reference.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:
        raise PluginError(f"{label}: {reference} does not import: {type(error).__name__}: {error}") from error
    if not isinstance(found, type) or not issubclass(found, BasePool):
        raise PluginError(f"{label}: {reference} is no subclass of pools.BasePool")
    return found


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    known = {*names(), *(alias.name for alias in installed(ALIASES))}
    close = get_close_matches(name, known)
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    return f"no installed plugin offers a pool named {name!r}{meant}; to install it: pip install pools-{name}"
