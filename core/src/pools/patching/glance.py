"""A quick look at modules, for those that deserve a search: what they name, what is directly in that, and defaults.

A thousand modules name some fifty thousand things, so many are looked at together: what several modules name is looked
at once, and what is compared is compared by sets. Only where something is found, each module is looked at by itself.
"""

from __future__ import annotations

import gc
import sys
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from itertools import chain, islice, starmap
from typing import Any

from pools.patching.originals import Originals
from pools.patching.parts import HIDING, PLAIN

#: How many members of one container are looked at.
WIDTH = 100
#: How many modules are looked at together.
TOGETHER = 100

#: What every module has, and what holds nothing but names.
_OF_MODULES = (ModuleSpec, SourceFileLoader)

_ByType = dict[type, list[Any]]

#: Returns what is directly in values, which are all of one type.
_Parts = Callable[[list[Any]], Iterable[Any]]


class Glance:
    """A look for modules that may hold an original.

    Args:
        originals: What they may hold.
        unusable: Types of which they may have objects.
    """

    def __init__(self, originals: Originals, unusable: Iterable[type]) -> None:
        self._identities = frozenset(originals.names)
        self._kinds = originals.kinds
        self._types = frozenset(originals.types) | frozenset(unusable)
        self._parts: dict[type, _Parts | None] = {}

    def suspects(self, modules: Iterable[str]) -> Iterator[str]:
        """Yield the names of those of the modules in which there is something."""
        names = (name for name in modules if type(sys.modules.get(name)) is types.ModuleType)
        while together := list(islice(names, TOGETHER)):
            if self._have_any(together):
                yield from (name for name in together if self._have_any([name]))

    def _have_any(self, modules: list[str]) -> bool:
        named = _by_type(gc.get_referents(*[vars(sys.modules[name]) for name in modules]))
        if self._is_among(named):
            return True
        held = _by_type(chain.from_iterable(starmap(self._directly_in, named.items())))
        return self._is_among(held) or self._is_among(_by_type(_defaults(held[types.FunctionType])))

    def _is_among(self, values: _ByType) -> bool:
        return not self._types.isdisjoint(values) or any(
            not self._identities.isdisjoint(map(id, values[kind])) for kind in self._kinds & values.keys()
        )

    def _directly_in(self, kind: type, values: list[Any]) -> Iterable[Any]:
        if kind not in self._parts:
            self._parts[kind] = _parts_of(kind)
        parts = self._parts[kind]
        return () if parts is None else parts(values)


def _by_type(values: Iterable[Any]) -> _ByType:
    found: _ByType = defaultdict(list)
    for value in values:
        found[type(value)].append(value)
    return found


def _parts_of(kind: type) -> _Parts | None:
    """Return what has the parts of objects of some type; None if they have none."""
    if kind in PLAIN or kind in _OF_MODULES or issubclass(kind, types.ModuleType):
        return None
    if issubclass(kind, type):
        return _of_classes
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    for base in kind.__mro__:
        descriptor = base.__dict__.get("__dict__")
        if type(descriptor) is types.GetSetDescriptorType:
            return lambda values: [part for value in values for part in list(descriptor.__get__(value).values())]
    return None


def _of_classes(classes: list[type]) -> Iterable[Any]:
    # Many modules name the same ones.
    classes = list(dict(zip(map(id, classes), classes, strict=True)).values())
    # Their attributes, as the garbage collector has them: at once, where the interpreter would wrap each dictionary.
    attributes = gc.get_referents(*[part for part in gc.get_referents(*classes) if type(part) is dict])
    return chain(attributes, chain.from_iterable([value.__bases__ for value in classes]))


def _of_functions(functions: list[types.FunctionType]) -> Iterable[Any]:
    cells = [cell for function in functions if (closure := function.__closure__) is not None for cell in closure]
    return chain(_defaults(functions), gc.get_referents(*cells))


def _defaults(functions: list[types.FunctionType]) -> Iterable[Any]:
    positional = [defaults for function in functions if (defaults := function.__defaults__) is not None]
    by_keyword = [named for function in functions if (named := function.__kwdefaults__) is not None]
    return chain(chain.from_iterable(positional), chain.from_iterable(map(dict.values, by_keyword)))


def _of_partials(partials: list[partial[Any]]) -> list[Any]:
    return [part for value in partials for part in (value.func, *value.args, *value.keywords.values())]


def _of_collections(collections: list[Any]) -> list[Any]:
    return gc.get_referents(*[value for value in collections if len(value) <= WIDTH])


_BY_TYPE: dict[type, _Parts] = {
    types.FunctionType: _of_functions,
    partial: _of_partials,
    **dict.fromkeys((dict, list, tuple, set, frozenset), _of_collections),
    **dict.fromkeys((types.MethodType, types.BuiltinFunctionType), lambda values: [value.__self__ for value in values]),
    **dict.fromkeys(HIDING, lambda values: gc.get_referents(*values)),
}
