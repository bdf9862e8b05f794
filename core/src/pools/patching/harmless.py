"""What holds an original and does no harm: all of it, each with its reason.

What a patch and its library hold of their own is not here: they are known from the patch requirement.
"""

from __future__ import annotations

_TWIN = "the part in C of a module that is patched: programs use the latter"
_BUILD = "installs and builds; no job runs in it"
_BRIEF = "held for a moment in which nothing waits, so that no other greenlet can want it"
_PROCESSES = "serves processes that are started by multiprocessing, which are told of where one is used"

#: Modules, packages (``"distutils.*"``: it and what is in it) and names of modules.
HARMLESS_PLACES: dict[str, str] = {
    "_posixsubprocess": _TWIN,
    "_queue": _TWIN,
    "_signal": _TWIN,
    "_socket": _TWIN,
    "_ssl": _TWIN,
    "posix": _TWIN,
    "_pyio": "io in Python, which nobody uses",
    "_frozen_importlib": "locks of modules that are being imported, which the patches leave native on purpose",
    "_frozen_importlib_external": "see _frozen_importlib",
    "importlib.*": "see _frozen_importlib",
    "functools.RLock": "guards cached_property in Python 3.11: see the type",
    "reprlib.get_ident": "tells whether a repr is inside itself, and a repr waits for nothing",
    "tempfile._allocate_lock": "makes tempfile._once_lock",
    "tempfile._once_lock": _BRIEF,
    "asyncio.base_futures.get_ident": "tells whether a repr is inside itself, and a repr waits for nothing",
    "asyncio.events": "which loop a thread runs: a loop of asyncio is run in a native thread and not in a greenlet",
    "asyncio.mixins": _BRIEF,
    "concurrent.futures.process": _PROCESSES,
    "concurrent.futures.thread._global_shutdown_lock": _BRIEF,
    "multiprocessing.connection": _PROCESSES,
    "multiprocessing.context": _PROCESSES,
    "multiprocessing.forkserver": _PROCESSES,
    "multiprocessing.heap": _PROCESSES,
    "multiprocessing.managers": _PROCESSES,
    "multiprocessing.resource_sharer": _PROCESSES,
    "multiprocessing.resource_tracker": _PROCESSES,
    "multiprocessing.util": _PROCESSES,
    "ctypes.*": "ctypes._aix is for another system",
    "dns.*": "eventlet imports it before it can patch, and then uses a patched copy of its own",
    "_distutils_hack.*": _BUILD,
    "distutils.*": _BUILD,
    "pkg_resources.*": _BUILD,
    "setuptools.*": _BUILD,
    "unittest.mock": _BRIEF,
    "webbrowser._lock": _BRIEF,
    "pools.*": "pools' own: a test searches all of it",
}

#: The packages among them.
HARMLESS_PACKAGES = frozenset(place.removesuffix(".*") for place in HARMLESS_PLACES if place.endswith(".*"))

#: Types whose instances are not looked into, nor those of their subclasses.
HARMLESS_TYPES: dict[str, str] = {
    "functools.cached_property": "in Python 3.11 it has an RLock, which greenlets of one thread never wait for",
    "_frozen_importlib._ModuleLock": "see the module",
    "threading._MainThread": "it runs already, and does not begin again",
}

#: Attributes of anything.
HARMLESS_ATTRIBUTES: dict[str, str] = {
    "__annotations__": "a type that is named in an annotation is not used",
    "__builtins__": "what everything has",
    "__mro__": "the base classes again",
}


def is_harmless(module: str, attribute: str) -> bool:
    """Return whether a name of a module, and whatever is reached from there, is known to do no harm."""
    return attribute in HARMLESS_ATTRIBUTES or f"{module}.{attribute}" in HARMLESS_PLACES


def has_harmless_type(kind: type) -> bool:
    """Return whether instances of a type are known to do no harm."""
    return any(f"{base.__module__}.{base.__qualname__}" in HARMLESS_TYPES for base in kind.__mro__)
