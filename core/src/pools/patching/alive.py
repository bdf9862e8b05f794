"""What is alive, whoever holds it: a frame, a registry in C, a weak dictionary and a cycle."""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from pools.patching.holders import Root
from pools.patching.parts import module_of


def alive(is_looked_at: Callable[[str], bool]) -> Iterator[Root]:
    """Yield the objects of classes, the functions and the generators of modules that were imported.

    Args:
        is_looked_at: Whether those of a module are.
    """
    gc.collect()  # what is held by nobody, but was not yet collected, is not alive
    for value in gc.get_objects():
        module, path = _place(value)
        if type(module) is str and module in sys.modules and is_looked_at(module):
            yield Root(value, module, path)


def _place(value: Any) -> tuple[object, str]:
    """The module of an object's code, and what to call the object: ``Client()`` for any instance of that class."""
    kind = type(value)
    if issubclass(kind, types.FunctionType):
        return value.__module__, value.__qualname__
    if issubclass(kind, types.GeneratorType):
        return value.gi_frame and value.gi_frame.f_globals.get("__name__"), f"{value.gi_code.co_qualname}()"
    if issubclass(kind, type):
        return "", ""
    return module_of(kind), f"{kind.__qualname__}()"
