"""The audit: what still holds an original that a patch replaced, and what to do about each."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import resolve_name
from types import ModuleType
from typing import NamedTuple

from pools.patching import effects
from pools.patching.advice import advice
from pools.patching.alive import alive
from pools.patching.bindings import Binding, Bindings
from pools.patching.extensions import blocking
from pools.patching.holders import DEPTH, Held, Root, Search
from pools.patching.scope import Scope
from pools.spec import PatchRequirement


class Place(NamedTuple):
    """A line of a file."""

    file: str
    line: int


class Finding(NamedTuple):
    """Something that does not cooperate with a patch.

    Attributes:
        module: The module that it was found in.
        attribute: Where in it, as an expression.
        original: The original that is held there, or what blocks.
        kind: What kind of place it is.
        advice: What to do.
        bound: Where its module gives it its name, if that is known.
        identity: The identity of what is held; 0 where nothing is.
        source: The module that its own module imported it from, if it did.
    """

    module: str
    attribute: str
    original: str
    kind: str
    advice: str
    bound: Place | None = None
    identity: int = 0
    source: str | None = None


class Audit:
    """An audit of this process.

    Args:
        requirements: The patches of a pool, which are in effect.
        depth: How many steps to go from a module's names.
    """

    def __init__(self, requirements: Sequence[PatchRequirement], depth: int = DEPTH) -> None:
        self._requirements = requirements
        self._scope = scope = Scope(requirements)
        self._bindings = Bindings()
        self._originals = effects.originals(requirements)
        self._search = Search(self._originals, scope.is_skipped, scope.is_green, scope.unusable(), depth)

    def run(self, roots: Iterable[Root] = ()) -> list[Finding]:
        """Return what is found in all modules that were imported, and then in whatever else is alive.

        Args:
            roots: What to look at beside modules.
        """
        return list(self._findings(self._everywhere(roots)))

    def _everywhere(self, roots: Iterable[Root]) -> Iterator[Held]:
        yield from self._search.run(list(sys.modules), roots)
        yield from self._search.run((), alive(functools.cache(self._scope.is_looked_into)))

    def of(self, modules: Iterable[str]) -> Iterator[Finding]:
        """Yield what is found, as it is found, in one after another of these modules."""
        yield from self._findings(held for name in modules for held in self._search.run([name]))

    def _findings(self, held: Iterable[Held]) -> Iterator[Finding]:
        found = self._held(held)
        patches_threads = "_thread.start_new_thread" in self._originals.names.values()
        yield from self._with_threads(found) if patches_threads else found
        yield from self._extensions()

    def _held(self, found: Iterable[Held]) -> Iterator[Finding]:
        """Give each place its advice; of an object that several modules have, the one that made it is named."""
        told: set[tuple[str, str]] = set()
        deliberate = {name for patch in self._requirements for name in effects.told_by(patch, "DELIBERATE", ())}
        for held in found:
            held = self._at_home(held)
            if (held.module, held.attribute) in told:
                continue
            told.add((held.module, held.attribute))
            file = source_of(held.module)
            binding = self._bindings.find(file, held.attribute)
            if binding is None or binding.call not in deliberate:
                yield self._finding(held, file, binding)

    def _finding(self, held: Held, file: str | None, binding: Binding | None) -> Finding:
        return Finding(
            held.module,
            held.attribute,
            held.original,
            held.kind,
            advice(held.kind, held.original, self._scope.told("UNUSABLE")),
            Place(str(file), binding.line) if binding else None,
            held.identity,
            _absolute(held.module, binding.source) if binding and binding.source else None,
        )

    def _at_home(self, held: Held) -> Held:
        if held.kind in ("module global", "base class") or not self._is_imported(held.module, held.attribute):
            return held
        root, rest = split(held.attribute)
        thing = vars(sys.modules[held.module]).get(root)
        for name, module in list(sys.modules.items()):
            if type(module) is not ModuleType or name == held.module or self._scope.is_skipped(name):
                continue
            for attribute, value in list(vars(module).items()):
                if value is thing and not self._is_imported(name, attribute):
                    return held._replace(module=name, attribute=attribute + rest)
        return held

    def _is_imported(self, module: str, attribute: str) -> bool:
        binding = self._bindings.find(source_of(module), attribute)
        return binding is None or binding.is_import

    def _with_threads(self, found: Iterable[Finding]) -> Iterator[Finding]:
        threads = effects.threads(self._requirements)
        objects = {thread.identity for thread in threads}
        what = advice("thread", "threading.Thread", {})
        named = set()
        for finding in found:
            if finding.identity in objects:
                named.add(finding.identity)
                finding = finding._replace(kind="thread", advice=what)
            yield finding
        for thread in threads:
            if thread.identity not in named:
                place = Place(thread.file, thread.line)
                yield Finding(thread.module, thread.name, "threading.Thread", "thread", what, place, thread.identity)

    def _extensions(self) -> Iterator[Finding]:
        for extension, what in blocking(self._scope.told("HELPS")):
            why = f"{extension.blocks} wait in C, where no patch reaches: {what} (see {extension.source})"
            yield Finding(extension.name, extension.module, extension.blocks, "C extension", why)


def split(attribute: str) -> tuple[str, str]:
    """Return the name that an expression begins with, and the rest of it."""
    end = next((position for position, letter in enumerate(attribute) if letter in ".[(<"), len(attribute))
    return attribute[:end], attribute[end:]


def source_of(module: str) -> str | None:
    """Return the file of a module's source, if it has one."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file if type(file) is str and file.endswith(".py") else None


def _absolute(module: str, source: str) -> str | None:
    """Return the name of the module that another one imports from, as it is written there."""
    try:
        return resolve_name(source, getattr(sys.modules[module], "__package__", None))
    except (ImportError, ValueError):
        return None
