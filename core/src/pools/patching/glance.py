"""A quick look at modules, for those that deserve a search: it sees what they name, and what is directly in that.

A thousand modules name some fifty thousand things, so what is compared is compared many at a time, by sets.
"""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import Any

from pools.patching.harmless import HARMLESS_NAMES
from pools.patching.originals import Originals
from pools.patching.parts import HIDING, PLAIN

#: How many members of one container are looked at.
WIDTH = 100

#: What every module has, and what holds nothing but names.
_OF_MODULES = (ModuleSpec, SourceFileLoader)

_Collect = Callable[[Any, list[Any]], None]


class Glance:
    """A look for modules that may hold an original.

    Args:
        originals: What they may hold.
        unusable: Types of which they may have objects.
    """

    def __init__(self, originals: Originals, unusable: Iterable[type]) -> None:
        self._identities = frozenset(originals.names)
        self._types = frozenset(originals.types) | frozenset(unusable)
        self._collectors: dict[type, _Collect | None] = {}
        self._seen: set[int] = set()

    def suspects(self, modules: Iterable[str]) -> Iterator[str]:
        """Yield the names of those of the modules in which there is something."""
        return (name for name in modules if type(sys.modules.get(name)) is types.ModuleType and self._has_any(name))

    def _has_any(self, module: str) -> bool:
        named = vars(sys.modules[module])
        clear = HARMLESS_NAMES.get(module)
        held: list[Any] = []
        self._collect(
            list(named.values()) if clear is None else [named[key] for key in named if key not in clear], held
        )
        return not self._identities.isdisjoint(map(id, held)) or not self._types.isdisjoint(map(type, held))

    def _collect(self, values: list[Any], held: list[Any]) -> None:
        """Add values, and what is directly in each that was not seen before."""
        held += values
        seen, collectors, function = self._seen, self._collectors, types.FunctionType
        for value in values:
            kind = type(value)
            if kind is function:
                # The same as _collect_function, without a call for each of what modules have most of.
                if (defaults := value.__defaults__) is not None:
                    held += defaults
                if value.__closure__ is not None or value.__kwdefaults__ is not None:
                    _collect_function(value, held)
            elif kind not in PLAIN:
                if kind not in collectors:
                    collectors[kind] = _collector(kind)
                collect = collectors[kind]
                if collect is not None and id(value) not in seen:
                    seen.add(id(value))
                    collect(value, held)


def _collector(kind: type) -> _Collect | None:
    """Return what adds the parts of an object of some type to a list; None if it has none."""
    if kind in PLAIN or kind in _OF_MODULES or issubclass(kind, types.ModuleType):
        return None
    if issubclass(kind, type):
        return _collect_class
    if kind in _COLLECTORS:
        return _COLLECTORS[kind]
    for base in kind.__mro__:
        descriptor = base.__dict__.get("__dict__")
        if type(descriptor) is types.GetSetDescriptorType:
            return lambda value, held: held.extend(descriptor.__get__(value).values())
    return None


def _collect_class(value: type, held: list[Any]) -> None:
    attributes = list(value.__dict__.values())
    held += value.__bases__
    held += attributes
    function = types.FunctionType
    for attribute in attributes:
        if type(attribute) is function:
            if (defaults := attribute.__defaults__) is not None:
                held += defaults
            if attribute.__kwdefaults__ is not None:
                held += attribute.__kwdefaults__.values()


def _collect_function(value: types.FunctionType, held: list[Any]) -> None:
    if (defaults := value.__defaults__) is not None:
        held += defaults
    if (keywords := value.__kwdefaults__) is not None:
        held += keywords.values()
    if (cells := value.__closure__) is not None:
        for cell in cells:
            try:
                held.append(cell.cell_contents)
            except ValueError:
                continue  # it is empty as yet


def _collect_partial(value: partial[Any], held: list[Any]) -> None:
    held += (value.func, *value.args, *value.keywords.values())


def _collect_mapping(value: dict[Any, Any], held: list[Any]) -> None:
    if len(value) <= WIDTH:
        held += value.values()


def _collect_sequence(value: Any, held: list[Any]) -> None:
    if len(value) <= WIDTH:
        held += value


_COLLECTORS: dict[type, _Collect] = {
    types.FunctionType: _collect_function,
    partial: _collect_partial,
    dict: _collect_mapping,
    list: _collect_sequence,
    tuple: _collect_sequence,
    set: _collect_sequence,
    frozenset: _collect_sequence,
    types.MethodType: lambda value, held: held.append(value.__self__),
    types.BuiltinFunctionType: lambda value, held: held.append(value.__self__),
    **dict.fromkeys(HIDING, lambda value, held: held.extend(gc.get_referents(value))),
}
