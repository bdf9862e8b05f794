"""What the audit of the eventlet patch has to know of eventlet."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

from pools.patching.extensions import Help

#: The functions by which programs patch.
CALLS = ("eventlet.patcher:monkey_patch",)

#: The functions by which programs ask for an original on purpose.
DELIBERATE = ("original",)

#: What makes libraries in C cooperate with eventlet.
HELPS = {
    "psycopg2": Help("call eventlet.monkey_patch(psycopg=True) when psycopg2 is installed"),
    "MySQLdb": Help(
        "call eventlet.monkey_patch(MySQLdb=True), or use PyMySQL",
        lambda: bool(sys.modules["eventlet.patcher"].is_monkey_patched("MySQLdb")),
    ),
    "zmq": Help("use eventlet.green.zmq in its place", lambda: "eventlet.green.zmq" in sys.modules),
}

_PROCESSES = "run the work in a pool of processes, pools.open('prefork') in a program of its own"

#: What does not work under eventlet's patch, or stops all green threads when it waits.
UNUSABLE = {
    "multiprocessing.pool.Pool": "its threads, which the patch made green, read one pipe at a time, which eventlet "
    f"forbids: {_PROCESSES}, or use concurrent.futures.ProcessPoolExecutor, which does work",
}

#: The module of eventlet that has what replaces the parts of each.
_GREEN = {
    "_thread": "thread",
    "os": "os",
    "queue": "Queue",
    "select": "select",
    "selectors": "selectors",
    "socket": "socket",
    "ssl": "ssl",
    "subprocess": "subprocess",
    "threading": "threading",
    "time": "time",
}

#: What it replaces beside what those modules say.
_ALSO = {"queue.SimpleQueue", "threading.RLock"}

#: Where what is written in C says it is from.
_TWINS = {"_queue": "queue", "_socket": "socket", "posix": "os"}

_NAMED = (type, types.FunctionType, types.BuiltinFunctionType)


def originals() -> dict[str, object]:
    """Return what eventlet has replaced and modules still hold, by dotted name; it keeps no record.

    An object says where it is from: what is not what the module of that name has now, nor eventlet's private copy of
    it, is what the module had before.
    """
    replaced = {f"{module}.{name}" for module, green in _GREEN.items() for name in _replaced(green)} | _ALSO
    copies = {id(value) for name in _GREEN for value in _names(f"__original_module_{name}")}
    found: dict[str, object] = {
        f"_thread.{kind.__name__}": kind
        for kind in object.__subclasses__()
        if kind.__module__ == "_thread" and kind.__name__ in ("lock", "RLock") and id(kind) not in copies
    }
    for module in list(sys.modules):
        for value in _names(module):
            if issubclass(type(value), _NAMED) and id(value) not in copies:
                name = _full_name(value)
                if name in replaced and _now(name) is not value:
                    found[name] = value
    return found


def _replaced(green: str) -> list[str]:
    module = sys.modules.get(f"eventlet.green.{green}")
    return [*getattr(module, "__patched__", ()), *getattr(module, "__deleted__", ())]


def _names(module: str) -> Iterator[object]:
    found = sys.modules.get(module)
    yield from list(vars(found).values()) if issubclass(type(found), types.ModuleType) else ()


def _full_name(value: Any) -> str:
    home = value.__module__
    return f"{_TWINS.get(home, home)}.{value.__name__}"


def _now(name: str) -> object:
    module, _, attribute = name.rpartition(".")
    return getattr(sys.modules[module], attribute, None)
