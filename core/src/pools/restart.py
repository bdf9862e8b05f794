"""A command that starts anew with the pool that it chose too late: after modules were imported that a patch precedes.

Some hosts learn their pool from an application's settings, which they have to import first. They call
:func:`with_pool` as soon as they know it, and before they do anything that must not be done twice.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pools.errors import PatchError
from pools.patching import apply
from pools.registry import use

#: What tells the process that takes this one's place which pool was chosen.
VARIABLE = "POOLS_RESTARTED_WITH"


@dataclass(frozen=True, slots=True)
class _Start:
    """How this process was started, if that was as a command of pools.

    Attributes:
        process: Its number: a fork of it is another process.
        folder: The working directory.
        environment: The environment.
        chosen: The pool for which it took the place of another process; None if it did not.
    """

    process: int
    folder: Path
    environment: dict[str, str]
    chosen: str | None


_start: list[_Start] = []


def begin() -> str | None:
    """Note how this process was started: to be called by the first code of a command.

    Returns:
        The pool for which this process took the place of another one; it is over whatever the arguments name. None for
        a process that did not.
    """
    # No process that this one starts is to take itself for a restarted one.
    pool = os.environ.pop(VARIABLE, None)
    _start[:] = [_Start(os.getpid(), Path.cwd(), dict(os.environ), pool)]
    return pool


def chosen() -> str | None:
    """Return the pool for which this process took the place of another one; None if it did not."""
    return _start[0].chosen if _start else None


def with_pool(name: str) -> None:
    """Return if this process can open a pool; otherwise start the command anew, patched for it, once.

    The command begins from its first line in the same process, with the arguments, the environment and the working
    directory that it had. Nothing of this one goes on: no ``finally``, no ``atexit``, no thread; standard output and
    error are flushed.

    Args:
        name: The name of a pool, as for :func:`pools.open`.

    Raises:
        UnknownPoolError: There is no such pool.
        PluginError: There is, and it cannot be used.
        PatchError: The process is not patched for the pool, and was started anew already, or cannot be.
    """
    declared = use(name)
    missing = [needed.name for needed in apply.requirements(declared) if not apply.in_effect(needed)]
    if not missing:
        return
    start = _start[0] if _start else None
    if start is None or start.process != os.getpid():
        apply.require(declared)
    elif start.chosen is not None:
        raise PatchError(
            f"the process was started anew for pool {start.chosen}, and now pool {name} is chosen, whose patch "
            f"{' and '.join(missing)} was not applied: have the settings choose the same pool each time, or name it on "
            f"the command line (-P {name}) or as POOLS_POOL={name}"
        )
    else:
        _execute(start, name)


def _execute(start: _Start, name: str) -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os.chdir(start.folder)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**start.environment, VARIABLE: name})
