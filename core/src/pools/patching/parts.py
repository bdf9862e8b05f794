"""What values are made of, without running code of the program.

Values are told by their type and never asked for their class, and attributes are read from where the interpreter keeps
them: a lazy object would be set up by ``isinstance``, and a proxy raise.
"""

from __future__ import annotations

import gc
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

from pools.patching.harmless import HARMLESS_ATTRIBUTES

#: How many members of one container are looked at.
WIDTH = 1000

#: Types of what has no parts.
PLAIN = frozenset(
    (type(None), bool, int, float, complex, str, bytes, bytearray, range, slice, type(...), type(NotImplemented))
) | {types.CodeType, types.GenericAlias, types.UnionType, types.MemberDescriptorType, types.GetSetDescriptorType}
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
_MAPPINGS = (dict, types.MappingProxyType, OrderedDict, defaultdict)
#: What holds values where only the garbage collector sees them: a cached result, a default.
HIDING = (type(lru_cache(len)), ContextVar)
_SEQUENCES = (list, tuple, set, frozenset, deque)
Part = tuple[str, str, Any]


def module_of(kind: type) -> str:
    """Return the name of the module of a class; empty for one that has something else there."""
    home = kind.__module__
    return home if type(home) is str else ""


def parts(value: Any, path: str, kind: type) -> Iterator[Part]:
    """Yield the parts of a value: what kind of place each is in ("" for the value's own), the path, what is there."""
    if issubclass(kind, type):
        yield from _parts_of_class(value, path)
    elif kind in _BY_TYPE:
        yield from _BY_TYPE[kind](value, path)
    elif issubclass(kind, _MAPPINGS) and module_of(kind) in ("builtins", "collections"):
        if kind is defaultdict:
            yield "attribute", f"{path}.default_factory", value.default_factory
        for key, item in list(value.items())[:WIDTH]:
            yield "item", f"{path}[{_key(key)}]", item
    elif kind in _SEQUENCES:
        for position, item in enumerate(list(value)[:WIDTH]):
            yield "item", f"{path}[{position}]", item
    else:
        yield from _parts_of_object(value, path, kind)


def _key(key: object) -> str:
    return repr(key) if type(key) in PLAIN else f"<{type(key).__qualname__}>"


def _parts_of_class(value: type, path: str) -> Iterator[Part]:
    for base in value.__bases__:
        yield "base class", path, base
    for name, attribute in list(value.__dict__.items()):
        if name == "__dataclass_fields__":
            for field in attribute.values():
                yield "class attribute", f"{path}.{field.name}(default_factory=)", field.default_factory
        elif name not in HARMLESS_ATTRIBUTES:
            yield "class attribute", f"{path}.{name}", attribute


def _parts_of_function(value: Any, path: str) -> Iterator[Part]:
    code = value.__code__
    if code.co_filename == "<string>" and "__file__" in value.__globals__:
        return  # it was generated (for a dataclass, a named tuple), and has what the class has
    positional = code.co_varnames[: code.co_argcount]
    defaults = value.__defaults__ or ()
    for name, default in zip(positional[len(positional) - len(defaults) :], defaults, strict=True):
        yield "function default", f"{path}({name}=)", default
    for name, default in (value.__kwdefaults__ or {}).items():
        yield "function default", f"{path}({name}=)", default
    for name, cell in zip(code.co_freevars, value.__closure__ or (), strict=True):
        try:
            yield "closure", f"{path}<{name}>", cell.cell_contents
        except ValueError:
            continue  # it is empty as yet
    for name, attribute in list(value.__dict__.items()):
        if name not in HARMLESS_ATTRIBUTES:
            yield "attribute", f"{path}.{name}", attribute


def _parts_of_partial(value: Any, path: str) -> Iterator[Part]:
    yield "functools.partial", f"{path}.func", value.func
    for position, argument in enumerate(value.args):
        yield "functools.partial", f"{path}.args[{position}]", argument
    for name, argument in value.keywords.items():
        yield "functools.partial", f"{path}.keywords[{name!r}]", argument


def _parts_of_generator(value: Any, path: str) -> Iterator[Part]:
    for name, variable in value.gi_frame.f_locals.items() if value.gi_frame is not None else ():
        yield "attribute", f"{path}.gi_frame.f_locals[{name!r}]", variable


def _parts_named(*names: str) -> Callable[[Any, str], Iterator[Part]]:
    def named(value: Any, path: str) -> Iterator[Part]:
        for name in names:
            if not issubclass(type(part := getattr(value, name)), types.ModuleType):
                yield "attribute", f"{path}.{name}", part

    return named


def _parts_of_method(value: Any, path: str) -> Iterator[Part]:
    yield "", path, value.__func__


def _parts_hidden(value: Any, path: str) -> Iterator[Part]:
    yield from _parts_of_object(value, path, type(value))
    for part in gc.get_referents(value):
        if not issubclass(type(part), type | types.FunctionType):
            yield "attribute", f"{path}<held>", part


def _parts_of_object(value: Any, path: str, kind: type) -> Iterator[Part]:
    for name, part in attributes(value, kind):
        if name not in HARMLESS_ATTRIBUTES:
            yield "attribute", f"{path}.{name}", part
    if issubclass(kind, _MAPPINGS):
        for key, item in list(dict.items(value))[:WIDTH] if issubclass(kind, dict) else ():
            yield "item", f"{path}[{_key(key)}]", item
    elif issubclass(kind, list | tuple):
        for position, item in enumerate((list if issubclass(kind, list) else tuple).__iter__(value)):
            yield "item", f"{path}[{position}]", item


def attributes(value: object, kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that an object itself has, in its dictionary and in slots, by name; runs no code of it."""
    for base in kind.__mro__:
        for name, descriptor in list(base.__dict__.items()):
            if name == "__dict__" and type(descriptor) in _DESCRIPTORS:
                yield from list(descriptor.__get__(value).items())
            elif type(descriptor) is types.MemberDescriptorType and module_of(base) != "builtins":
                try:
                    yield name, descriptor.__get__(value)
                except AttributeError:
                    continue  # an empty slot


_BY_TYPE: dict[type, Callable[[Any, str], Iterator[Part]]] = {
    types.FunctionType: _parts_of_function,
    partial: _parts_of_partial,
    staticmethod: _parts_of_method,
    classmethod: _parts_of_method,
    property: _parts_named("fget", "fset", "fdel"),
    types.GeneratorType: _parts_of_generator,
    types.MethodType: _parts_named("__self__", "__func__"),
    types.BuiltinFunctionType: _parts_named("__self__"),
    types.MethodWrapperType: _parts_named("__self__"),
    **dict.fromkeys(HIDING, _parts_hidden),
}
