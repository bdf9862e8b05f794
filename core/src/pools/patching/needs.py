"""What a pool needs patched: what its spec says, and what loaded plugins add to that; in order, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pools import hooks
from pools.errors import PluginError
from pools.spec import PatchRequirement, PoolSpec


class Need(NamedTuple):
    """One patch that a pool needs.

    Attributes:
        requirement: The patch.
        added_by: The plugin that added it, as messages name it; None for one of the pool's own spec.
    """

    requirement: PatchRequirement
    added_by: str | None = None


def needs(spec: PoolSpec) -> list[Need]:
    """Return what a pool needs patched, in the order in which it is applied, each patch once.

    Those of the spec come first, in its order; then those that ``pools_patches`` hooks of loaded plugins add, in the
    order of the plugins' names.

    Raises:
        PluginError: A hook raised, or gave something else than patch requirements, or two plugins mean different
            patches by one name.
    """
    found: dict[str, Need] = {}
    for need in (*(Need(requirement) for requirement in spec.patches), *_added(spec)):
        first = found.setdefault(need.requirement.name, need)
        if first.requirement != need.requirement:
            this, other = need.added_by or "its spec", first.added_by or "its spec"
            raise PluginError(
                f"pool {spec.name}: the patch {need.requirement.name} of {this} is another one than that of {other}: "
                "uninstall one of them"
            )
    return list(found.values())


def _added(spec: PoolSpec) -> Iterator[Need]:
    for hook in sorted(hooks.manager.hook.pools_patches.get_hookimpls(), key=lambda hook: hook.plugin_name):
        try:
            added: Any = hook.function(*[spec for _ in hook.argnames])
            for requirement in added or ():
                if not isinstance(requirement, PatchRequirement):
                    raise TypeError(f"{requirement!r} is not a PatchRequirement")
                yield Need(requirement, hook.plugin_name)
        except Exception as error:
            raise PluginError(
                f"{hook.plugin_name}: pools_patches for pool {spec.name} raised {type(error).__name__}: {error}"
            ) from error
