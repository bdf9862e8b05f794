"""Who holds an original: a search from the names of modules, breadth first, so that each is found by its shortest path.

No code of the program runs for it: see :mod:`pools.patching.parts`.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pools.patching.harmless import has_harmless_type, is_harmless
from pools.patching.originals import Originals
from pools.patching.parts import PLAIN, module_of, parts

#: How far from a module's names the search goes: ``client.pools[0].lock`` is three steps from ``client``.
DEPTH = 6
#: The objects of these modules are named as a whole, and not the lock somewhere in one.
_WHOLE = frozenset({"threading", "queue", "concurrent", "multiprocessing", "logging", "socketserver", "selectors"})


class Held(NamedTuple):
    """A place that holds an original.

    Attributes:
        module: The name of the module from whose names it is reached.
        attribute: How, as an expression in that module.
        original: The name of the original.
        kind: What kind of place it is.
        identity: The identity of what is held.
    """

    module: str
    attribute: str
    original: str
    kind: str
    identity: int


class Root(NamedTuple):
    """Something to look at beside the names of modules: how it is reached, in which module's code."""

    value: Any
    module: str
    path: str


class _Step(NamedTuple):
    """Something to be looked at: how it was reached, and the object of the standard library that it is a part of."""

    value: Any
    module: str
    path: str
    kind: str
    depth: int
    whole: tuple[str, str, int] | None = None


class Search:
    """One search.

    Args:
        originals: What is searched for.
        skipped: Which modules are not looked at, nor their classes and functions.
        green: Which modules are of the patches' own libraries: what derives from a class of theirs is patched.
        unusable: Types of which no object can be used under the patch, whenever it was made.
        depth: How many steps from a module's names to go.
    """

    def __init__(
        self,
        originals: Originals,
        skipped: Callable[[str], bool],
        green: Callable[[str], bool],
        unusable: Mapping[type, str],
        depth: int = DEPTH,
    ) -> None:
        self._names = originals.names
        self._types = originals.types
        self._skipped = skipped
        self._green = green
        self._unusable = unusable
        self._depth = depth
        self._of_types: dict[type, str | None] = {}
        self._seen: set[int] = {id(vars(module)) for module in list(sys.modules.values()) if _is_module(module)}
        #: The objects of the standard library that were yielded, by identity.
        self._wholes: set[int] = set()
        self._queue: deque[_Step] = deque()

    def run(self, modules: Iterable[str], roots: Iterable[Root] = ()) -> Iterator[Held]:
        """Yield every place, once, that is reached from the names of these modules or from these roots."""
        self._queue.extend(_Step(root.value, root.module, root.path, "attribute", 0) for root in roots)
        for name in modules:
            module = sys.modules.get(name)
            if module is None or not _is_module(module) or self._skipped(name):
                continue
            for attribute, value in list(vars(module).items()):
                if type(value) not in PLAIN and not is_harmless(name, attribute):
                    self._begin(name, attribute, value)
        while self._queue:
            step = self._queue.popleft()
            held = self._held(step)
            if held is None:
                self._open(step)
            elif step.whole is None:
                yield held
            elif step.whole[2] not in self._wholes:
                self._wholes.add(step.whole[2])
                path, original, identity = step.whole
                yield Held(step.module, path, original or held.original, "instance", identity)

    def _begin(self, module: str, attribute: str, value: Any) -> None:
        if issubclass(type(value), type | types.FunctionType) and id(value) not in self._names:
            home = value.__dict__.get("__module__") if issubclass(type(value), type) else value.__module__
            if type(home) is str and home != module and self._is_home(home, value):
                return  # it is looked at where it is at home
        self._queue.append(_Step(value, module, attribute, "module global", 0))

    def _is_home(self, home: str, value: Any) -> bool:
        if home not in sys.modules or not _is_module(sys.modules[home]):
            return False
        return self._skipped(home) or vars(sys.modules[home]).get(value.__name__) is value

    def _held(self, step: _Step) -> Held | None:
        original, kind = self._names.get(id(step.value)), step.kind
        if original is None:
            original, kind = self._type_of(type(step.value)), "instance"
        if original is None and step.whole is None:
            original, kind = self._unusable.get(type(step.value)), "multiprocessing"
        if original is None:
            return None
        return Held(step.module, step.path, original, kind, id(step.value))

    def _type_of(self, kind: type) -> str | None:
        """Return the name of the original that an object of this type is an instance of."""
        if kind not in self._of_types and has_harmless_type(kind):
            self._of_types[kind] = None
        elif kind not in self._of_types:
            first = next((base for base in kind.__mro__ if base in self._types or self._green(module_of(base))), None)
            self._of_types[kind] = self._types.get(first) if first is not None else None
        return self._of_types[kind]

    def _open(self, step: _Step) -> None:
        """Look into a value, once."""
        kind = type(step.value)
        if step.depth >= self._depth or kind in PLAIN or id(step.value) in self._seen or self._is_closed(step.value):
            return
        self._seen.add(id(step.value))
        whole = step.whole or _whole(step, kind)
        for label, path, value in parts(step.value, step.path, kind):
            if type(value) not in PLAIN:
                self._queue.append(_Step(value, step.module, path, label or step.kind, step.depth + 1, whole))

    def _is_closed(self, value: Any) -> bool:
        """Whether there is no looking into a value: what it holds is its module's own affair."""
        kind = type(value)
        if issubclass(kind, type):
            return self._skipped(module_of(value))
        if kind is types.FunctionType:
            return type(value.__module__) is str and self._skipped(value.__module__)
        home = module_of(kind)
        return issubclass(kind, types.ModuleType) or home == "typing" or self._green(home) or has_harmless_type(kind)


def _whole(step: _Step, kind: type) -> tuple[str, str, int] | None:
    """Return what to call an object of the standard library that has originals in it."""
    for base in kind.__mro__:
        home = module_of(base)
        if home.partition(".")[0] in _WHOLE:
            original = f"{home}.{base.__qualname__}" if home in ("threading", "queue") else ""
            return step.path, original, id(step.value)
    return None


def _is_module(value: object) -> bool:
    return issubclass(type(value), types.ModuleType)
