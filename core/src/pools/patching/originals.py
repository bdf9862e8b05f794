"""What patches replaced: found by a look at the standard modules before and after, or told by the patch itself."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

#: Types written in C, by the name under which programs make their instances.
_PUBLIC = {
    "_thread.lock": "threading.Lock",
    "_thread.RLock": "threading.RLock",
    "_thread._local": "threading.local",
    "_queue.SimpleQueue": "queue.SimpleQueue",
}

#: Functions that do nothing but make an object, whose type may have no name of its own.
_FACTORIES = ("threading.Lock", "threading.RLock", "_thread.allocate_lock", "select.poll", "select.epoll")

_HELD_BY_NAME = (type, types.FunctionType, types.BuiltinFunctionType)

Namespaces = Mapping[str, Mapping[str, object]]


def namespaces(modules: Iterable[str]) -> Namespaces:
    """Return the classes and functions of each of these modules that was imported, by name.

    Nothing else, because a patch may look for locks, and make anew those that only it and their modules hold.
    """
    return {name: _classes_and_functions(vars(sys.modules[name])) for name in modules if name in sys.modules}


def _classes_and_functions(names: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in names.items() if issubclass(type(value), _HELD_BY_NAME)}


def replaced(before: Namespaces) -> dict[str, object]:
    """Return what the modules had before and have no more, by dotted name."""
    found = {}
    for module, names in before.items():
        now = vars(sys.modules[module])
        found.update({f"{module}.{name}": value for name, value in names.items() if now.get(name) is not value})
    return found


class Originals:
    """The originals of the patches that are in effect.

    Attributes:
        names: The name of each original, by its identity.
        types: The original types, with the name under which programs make their instances.
    """

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.types: dict[type, str] = {}
        self._kept: list[object] = []  # so that no identity is used again

    @property
    def kinds(self) -> frozenset[type]:
        """The types that originals are of: what is of another is none."""
        return frozenset(map(type, self._kept))

    def add(self, found: Mapping[str, object]) -> None:
        """Add originals by dotted name. Of an object that has several names the one that programs use is kept."""
        for name in sorted(found, key=_rank):
            self._add(name, found[name])
        for name in _FACTORIES:
            if name in found:
                self._add_type(name, found[name])

    def _add(self, name: str, original: Any) -> None:
        if id(original) in self.names:
            return
        self._kept.append(original)
        if issubclass(type(original), type):
            qualified = f"{original.__module__}.{original.__qualname__}"
            name = _PUBLIC.get(qualified, name)
            self.types.setdefault(original, name)
        self.names[id(original)] = name

    def _add_type(self, name: str, factory: Any) -> None:
        made = type(factory())
        if made.__module__ in ("_thread", "select"):
            self.types.setdefault(made, _PUBLIC.get(f"{made.__module__}.{made.__qualname__}", name))


def _rank(name: str) -> tuple[bool, bool, bool, str]:
    """Order names: public ones of public modules first, and a class under its own name before another."""
    module, _, attribute = name.rpartition(".")
    return attribute.startswith("_"), module.startswith("_"), attribute.startswith("Default"), name
