"""``pools exec``: a Python program, run as by ``python`` itself, with a pool's patches applied first."""

from __future__ import annotations

import builtins
import importlib.util
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

import click

from pools import config, registry
from pools.cli import arguments
from pools.cli.pool_command import PoolCommand
from pools.errors import UsageError


class _ExecCommand(PoolCommand):
    """A command whose arguments end with a program, of whose arguments click reads none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        read = arguments.read("exec", args)
        program = ("--", *read.program) if read.program else ()
        return super().parse_args(ctx, [*read.own, *program])


@click.command("exec", cls=_ExecCommand, options_metavar="[OPTIONS]")
@click.option("-P", "--pool", metavar="NAME", help="The pool whose patches to apply.")
@click.argument("program", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT|-m MODULE|-c CODE [ARGUMENTS]...")
def exec_(pool: str | None, program: tuple[str, ...]) -> NoReturn:
    """Run a Python program as python does, with a pool's patches applied before it imports anything."""
    name = config.pool_name()
    if name is None:
        raise click.UsageError("Name the pool whose patches to apply: -P NAME.")
    registry.patch(name)
    if not program:
        raise click.UsageError("Name a program: a script, -m MODULE or -c CODE.")
    sys.exit(_run_program(program))


def _run_program(program: Sequence[str]) -> int:
    first, rest = program[0], program[1:]
    if first[:2] not in arguments.PROGRAM_OPTIONS:
        return _run_script(first, rest)
    value, rest = (first[2:], rest) if first[2:] else ("".join(rest[:1]), rest[1:])
    if not value:
        raise click.UsageError(f"Option '{first}' requires an argument.")
    return _run_module(value, rest) if first[:2] == "-m" else _run_code(value, rest)


def _run_script(path: str, rest: Sequence[str]) -> int:
    file = Path(path).absolute()
    if file.is_dir() or zipfile.is_zipfile(file):
        _begin(path, str(file), rest)
        spec = PathFinder.find_spec("__main__", [str(file)])
        if spec is None or spec.loader is None:
            raise UsageError(f"{path} has no module __main__ to run")
        return _run_spec(spec)
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
