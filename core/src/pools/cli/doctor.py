"""``pools doctor``: what a program patches too late."""

from __future__ import annotations

import json
from typing import Any

import click

from pools import config, registry
from pools.cli.program_command import ProgramCommand
from pools.doctor.launch import examine
from pools.doctor.text import print_report
from pools.patching import apply


@click.command("doctor", cls=ProgramCommand, options_metavar="[-P NAME] [--json] [-A MODULE]...")
@click.option("-P", "--pool", metavar="NAME", help="The pool whose patches are meant.")
@click.option("-A", "--app", "modules", metavar="MODULE", multiple=True, help="Apply the patches, then import this.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; what the program prints goes to standard error.")
@click.argument("program", nargs=-1, type=click.UNPROCESSED, metavar="SCRIPT|-m MODULE|-c CODE [ARGUMENTS]...")
def doctor(pool: str | None, modules: tuple[str, ...], as_json: bool, program: tuple[str, ...]) -> int:
    """Find what still holds originals of what a pool's patch replaced.

    With -A the patches are applied first, as for a worker, and the modules imported then. A program runs in its own
    order: what it imports before it patches is what is looked for.

    Exit code 0: nothing was found; 1: something was; 2: bad usage.
    """
    name = pool or config.pool_name()
    if name is None:
        raise click.UsageError("Name the pool whose patches are meant: -P NAME.")
    if bool(modules) == bool(program):
        raise click.UsageError("Name either modules, each with -A, or a program: a script, -m MODULE or -c CODE.")
    declared = registry.use(name)
    patches = apply.requirements(declared)
    if not patches:
        raise click.UsageError(f"Pool {declared.name} needs no patch, so there is nothing to find.")
    found = examine(declared.name, patches, modules, program, apart=as_json)
    report: dict[str, Any] = {"pool": declared.name, "patches": [patch.name for patch in patches], **found}
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        print_report(report)
    return 1 if report["stale"] else 0
