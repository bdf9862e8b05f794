"""Patches, applied once in a process, in the order in which they were declared, and never against a conflict."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pools.discovery import declared_pool, installed
from pools.errors import PatchError, PatchWarning, PoolsError
from pools.patching import effects
from pools.patching.needs import needs
from pools.spec import PatchRequirement, PoolSpec

#: Every patch that is known to be in effect, by name.
_applied: dict[str, PatchRequirement] = {}


def requirements(spec: PoolSpec) -> list[PatchRequirement]:
    """Return what a pool needs patched, in order: see :func:`pools.patching.needs.needs`."""
    return [need.requirement for need in needs(spec)]


def apply(spec: PoolSpec) -> None:
    """Apply what a pool needs patched and was not patched yet, by this function or by the program itself.

    Warns with a :class:`pools.errors.PatchWarning` for each module that was imported too early.

    Raises:
        PatchError: A patch conflicts with another one, in effect or about to be, or fails. None was applied then that
            comes after it.
    """
    needed = requirements(spec)
    for position, requirement in enumerate(needed):
        _refuse_conflicts(requirement, needed[:position])
    for requirement in needed:
        if not in_effect(requirement):
            _apply_one(requirement)


def require(spec: PoolSpec) -> None:
    """Check that whatever a pool needs patched was patched, by :func:`apply` or by the program itself.

    Raises:
        PatchError: It was not, and the message says what to do; or something was that it conflicts with, maybe after
            it and by the program itself.
    """
    for requirement in requirements(spec):
        _refuse_conflicts(requirement, [])
        if not in_effect(requirement):
            raise PatchError(
                f"pool {spec.name} needs the patch {requirement.name}, and it was not applied: run the program with "
                f"`pools exec -P {spec.name} yourscript.py`, or make `import pools; pools.patch({spec.name!r})` its "
                'first line (patch="off" opens the pool regardless)'
            )


def in_effect(requirement: PatchRequirement) -> bool:
    """Return whether a patch was applied, by :func:`apply` or by the program itself."""
    if requirement.name not in _applied and _module(requirement).is_applied():
        _applied[requirement.name] = requirement
    return requirement.name in _applied


def _module(requirement: PatchRequirement) -> Any:
    try:
        module = importlib.import_module(requirement.module)
    except Exception as error:
        raise PatchError(
            f"the patch {requirement.name} does not import: {requirement.module}: {type(error).__name__}: {error}"
        ) from error
    for function in ("apply", "is_applied"):
        if not callable(getattr(module, function, None)):
            raise PatchError(f"the patch {requirement.name} cannot be used: {requirement.module} has no {function}()")
    return module


def _refuse_conflicts(requirement: PatchRequirement, others: list[PatchRequirement]) -> None:
    """Raise if a patch conflicts with one in effect, or with one of ``others``, which are about to be applied."""
    for other in [*_applied.values(), *_of_the_program(requirement.conflicts), *others]:
        if other.name in requirement.conflicts or requirement.name in other.conflicts:
            state = "is to be applied" if other in others and not in_effect(other) else "was applied"
            raise PatchError(
                f"the patch {requirement.name} conflicts with the patch {other.name}, which {state}: "
                "use pools of one of them in this process, and the others in processes of their own"
            )


def _of_the_program(names: Iterable[str]) -> Iterator[PatchRequirement]:
    """Yield those of the patches of these names that the program has applied by itself, be it in part.

    A patch is named for its library, and its pool for it: while the library was not imported, or no such plugin is
    installed, there is nothing to ask, and nothing is imported for it.
    """
    for plugin in installed():
        if plugin.name in names and plugin.name in sys.modules:
            for requirement in declared_pool(plugin).patches:
                module = _module(requirement)
                if getattr(module, "is_begun", module.is_applied)():
                    yield requirement


def _apply_one(requirement: PatchRequirement) -> None:
    for module in requirement.before:
        if module in sys.modules:
            warnings.warn(
                f"{module} was imported before the patch {requirement.name}: what it took from the standard library "
                "until now stays unpatched (patch first, on the first line of the program)",
                PatchWarning,
                stacklevel=4,
            )
    try:
        with effects.noted(requirement):
            _module(requirement).apply(_options(requirement))
    except PoolsError:
        raise
    except Exception as error:
        raise PatchError(f"the patch {requirement.name} failed: {type(error).__name__}: {error}") from error
    _applied[requirement.name] = requirement


def _options(requirement: PatchRequirement) -> Mapping[str, str]:
    """Return the options that the environment sets, by name."""
    variables = {option.name: option.env for option in requirement.options if option.env is not None}
    return {name: os.environ[variable] for name, variable in variables.items() if variable in os.environ}
