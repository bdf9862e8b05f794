"""The first code of every command: which pool, its patches, and only then the command line.

Until the patches are applied, only what reads the arguments, the configuration and the plugin's declaration is
imported; click, rich and the commands come afterwards.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from pools.errors import PatchWarning, PluginWarning, PoolsError


def main() -> NoReturn:
    """Run the command that ``sys.argv`` has, and exit with its code: 2 where it could not be used as it was given."""
    if not sys.flags.safe_path:
        # Where a command names a module, it is found from the working directory, as with `python -m`.
        sys.path[0] = str(Path.cwd())
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: Sequence[str]) -> int:
    _shorten_warnings()
    try:
        _patch(arguments)
        from pools.cli.group import run

        code = run(arguments)
        if sys.stdout is not None:  # it was closed by whoever started this process
            sys.stdout.flush()
    except PoolsError as error:
        print(f"pools: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Nobody reads any more. The interpreter flushes once more at its exit, which must find a place for the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _shorten_warnings() -> None:
    """Have the warnings of pools shown like its errors; no line of the program is behind them here."""
    show = warnings.formatwarning

    def show_ours(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        if issubclass(category, PatchWarning | PluginWarning):
            return f"pools: {message}\n"
        return show(message, category, filename, lineno, line)

    warnings.formatwarning = show_ours


def _patch(arguments: Sequence[str]) -> None:
    """Apply the patches of the pool that somebody named, if the command runs anything."""
    if not arguments or arguments[0].startswith("-"):
        return
    from pools.cli import arguments as cli_arguments
    from pools.cli.builtin import BUILTIN

    name, *rest = arguments
    read = cli_arguments.read(name, rest)
    if read.asks_help or (name in BUILTIN and not BUILTIN[name].runs_jobs):
        return
    from pools import config, registry, restart

    chosen = restart.begin() or read.pool
    if chosen is not None:
        config.choose_pool(chosen)
    pool = config.pool_name()
    if pool is not None:  # the default pool is one that needs no patch
        registry.patch(pool)
