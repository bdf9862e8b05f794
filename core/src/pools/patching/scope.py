"""What an audit looks into: all modules, but for those that are patched, that patch, or that do no harm."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from pools.patching import effects
from pools.patching.harmless import HARMLESS_PACKAGES, HARMLESS_PLACES
from pools.spec import PatchRequirement


class Scope:
    """The scope of an audit.

    Args:
        requirements: The patches of a pool, which are in effect.
    """

    def __init__(self, requirements: Sequence[PatchRequirement]) -> None:
        self._requirements = requirements
        self._libraries = {"greenlet"}
        for requirement in requirements:
            calls = effects.told_by(requirement, "CALLS", ())
            self._libraries |= {name.partition(".")[0] for name in (requirement.module, *calls)}
        #: Packages, and modules, that are not looked into.
        self._packages = self._libraries | HARMLESS_PACKAGES
        self._modules = HARMLESS_PLACES.keys() | {name for patch in requirements for name in patch.replaces}

    def told(self, name: str) -> dict[str, Any]:
        """Return what the audit modules of the patches say under a name, together."""
        found: dict[str, Any] = {}
        for requirement in self._requirements:
            found.update(effects.told_by(requirement, name, {}))
        return found

    def unusable(self) -> dict[type, str]:
        """Return the types of which no object can be used under the patches, of the modules that were imported."""
        found = {}
        for name in self.told("UNUSABLE"):
            module, _, last = name.rpartition(".")
            kind = getattr(sys.modules.get(module), last, None)
            if type(kind) is type:
                found[kind] = name
        return found

    def is_green(self, module: str) -> bool:
        """Whether a module is of the patches' own libraries."""
        return module.partition(".")[0] in self._libraries

    def is_skipped(self, name: str) -> bool:
        """Whether there is no looking into a module, nor into its classes and functions."""
        if self._is_cleared(name):
            return True
        module = sys.modules.get(name)
        own = vars(module).get("__name__") if type(module) is ModuleType else None
        # A module under another name than its own is a copy that some patch keeps.
        return own != name and type(own) is str and self._is_cleared(own)

    def is_looked_into(self, name: str) -> bool:
        """Whether a module is looked into, and is none of the standard library."""
        return name.partition(".")[0] not in sys.stdlib_module_names and not self.is_skipped(name)

    def _is_cleared(self, name: str) -> bool:
        return name.partition(".")[0] in self._packages or name in self._modules
