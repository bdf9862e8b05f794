"""What patches did when this process applied them: what they replaced, and what had been imported by then.

A patch that the program applied where nobody looked on tells by itself what it replaced, if its audit
module has ``originals()``.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pools.patching.originals import Originals, namespaces, replaced
from pools.patching.threads import NativeThread, native_threads
from pools.spec import PatchRequirement


@dataclass(slots=True)
class Effect:
    """What one patch did.

    Attributes:
        found: What it replaced, by dotted name.
        early: The modules that had been imported by then.
        threads: The threads that were running.
    """

    found: dict[str, object] = field(default_factory=dict)
    early: dict[str, object] = field(default_factory=dict)
    threads: list[NativeThread] = field(default_factory=list)


#: By the name of the patch; only of those that were looked on at.
_effects: dict[str, Effect] = {}


@contextmanager
def noted(requirement: PatchRequirement) -> Iterator[None]:
    """Note what a patch does that is applied within the block."""
    before, early, threads = namespaces(requirement.replaces), dict(sys.modules), list(native_threads())
    yield
    effect = _effects.setdefault(requirement.name, Effect())
    for name, original in replaced(before).items():
        effect.found.setdefault(name, original)
    effect.early.update(early)
    effect.threads += [thread for thread in threads if thread not in effect.threads]


def originals(requirements: Iterable[PatchRequirement]) -> Originals:
    """Return what these patches replaced, as far as it is known."""
    known: dict[str, object] = {}
    for requirement in requirements:
        if requirement.name in _effects:
            known.update(_effects[requirement.name].found)
            continue
        told: Callable[[], Mapping[str, object]] | None = told_by(requirement, "originals", None)
        known.update(told() if told is not None else {})
    found = Originals()
    found.add(known)
    return found


def threads(requirements: Iterable[PatchRequirement]) -> list[NativeThread]:
    """Return the threads that were running when one of these patches was applied, as far as it is known."""
    effects = [_effects[requirement.name] for requirement in requirements if requirement.name in _effects]
    return [thread for effect in effects for thread in effect.threads]


def early(requirements: Iterable[PatchRequirement]) -> list[str] | None:
    """Return the modules that were imported before one of these patches; None where nobody looked on at one."""
    effects = [_effects.get(requirement.name) for requirement in requirements]
    if None in effects:
        return None
    found: dict[str, object] = {}
    for effect in effects:
        found.update(effect.early if effect is not None else {})
    # What has taken the place of a module since then, as a program does that of `__main__`, is another one.
    return [name for name, module in list(sys.modules.items()) if name in found and found[name] is module]


def told_by(requirement: PatchRequirement, name: str, default: Any) -> Any:
    """Return something that the audit module of a patch may have; the default if it has not."""
    if requirement.audit is None:
        return default
    return getattr(importlib.import_module(requirement.audit), name, default)
