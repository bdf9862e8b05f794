"""``pools exec``: a Python program, run as by ``python`` itself, with a pool's patches applied first."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from pools import config, program, registry
from pools.cli.pool_command import PoolCommand
from pools.cli.program_command import ProgramCommand


class _ExecCommand(ProgramCommand, PoolCommand):
    """A command whose arguments end with a program, and which takes the options of a pool."""


@click.command("exec", cls=_ExecCommand, options_metavar="[OPTIONS]")
@click.option("-P", "--pool", metavar="NAME", help="The pool whose patches to apply.")
@click.argument(
    "program_arguments", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT|-m MODULE|-c CODE [ARGUMENTS]..."
)
def exec_(pool: str | None, program_arguments: tuple[str, ...]) -> NoReturn:
    """Run a Python program as python does, with a pool's patches applied before it imports anything."""
    name = config.pool_name()
    if name is None:
        raise click.UsageError("Name the pool whose patches to apply: -P NAME.")
    registry.patch(name)
    if not program_arguments:
        raise click.UsageError("Name a program: a script, -m MODULE or -c CODE.")
    sys.exit(program.run(program_arguments))
