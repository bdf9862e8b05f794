"""A Python program, run as by ``python`` itself: a script, a folder, an archive, a module, or code."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from pools.errors import UsageError

#: What comes before a module or code; what begins with anything else is a script.
OPTIONS = ("-m", "-c")


def run(program: Sequence[str]) -> int:
    """Run a program as the module ``__main__``, in this process.

    Args:
        program: A script, ``-m MODULE`` or ``-c CODE``, and the program's own arguments.

    Returns:
        The exit code that python would end with. ``SystemExit`` passes.

    Raises:
        UsageError: There is no such program.
    """
    first, rest = program[0], program[1:]
    if first[:2] not in OPTIONS:
        return _run_script(first, rest)
    value, rest = (first[2:], rest) if first[2:] else ("".join(rest[:1]), rest[1:])
    if not value:
        raise UsageError(f"the option {first} of a program requires an argument")
    return _run_module(value, rest) if first[:2] == "-m" else _run_code(value, rest)


def _run_script(path: str, rest: Sequence[str]) -> int:
    file = Path(path).absolute()
    spec = PathFinder.find_spec("__main__", [str(file)])  # in a folder or an archive
    if spec is not None and spec.loader is not None:
        _begin(path, str(file), rest)
        return _run_spec(spec)
    if file.is_dir():
        raise UsageError(f"{path} has no module __main__ to run")
    try:
        source = file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the program {path}: {error.strerror}") from None
    _begin(path, str(file.resolve().parent), rest)
    names = {"__file__": str(file), "__cached__": None, "__loader__": SourceFileLoader("__main__", str(file))}
    return _run(names, lambda: compile(source, file, "exec", dont_inherit=True))


def _run_code(code: str, rest: Sequence[str]) -> int:
    _begin("-c", "", rest)
    return _run({}, lambda: compile(code, "<string>", "exec", dont_inherit=True))


def _run_module(name: str, rest: Sequence[str]) -> int:
    _begin("-m", str(Path.cwd()), rest)
    spec = _find(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _find(f"{name}.__main__")
    if spec is None or spec.loader is None:
        raise UsageError(f"there is no module {name} to run")
    sys.argv[0] = spec.origin or name
    return _run_spec(spec)


def _find(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None


def _begin(program: str, folder: str, rest: Sequence[str]) -> None:
    """Set what a program finds in ``sys``: its arguments, and the folder that its imports are looked for in first."""
    sys.argv = [program, *rest]
    if not sys.flags.safe_path:
        sys.path[0] = folder


def _run_spec(spec: ModuleSpec) -> int:
    loader: Any = spec.loader
    names = {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__loader__": loader,
        "__package__": spec.parent,
        "__spec__": spec,
    }
    return _run(names, lambda: loader.get_code(spec.name))


def _run(names: Mapping[str, object], load: Callable[[], CodeType]) -> int:
    """Run a program as the module ``__main__``, which stays there for what it leaves running.

    Returns:
        The exit code that python would end with. ``SystemExit`` passes.
    """
    main = ModuleType("__main__")
    main.__dict__.update({"__builtins__": builtins, **names})
    sys.modules["__main__"] = main
    try:
        exec(load(), main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0
