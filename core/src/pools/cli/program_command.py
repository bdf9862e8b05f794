"""Commands whose arguments end with a program."""

from __future__ import annotations

import click

from pools.cli import arguments


class ProgramCommand(click.Command):
    """A command whose arguments end with a program, of whose arguments click reads none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        read = arguments.read(str(self.name), args)
        rest = ("--", *read.program) if read.program else ()
        return super().parse_args(ctx, [*read.own, *rest])
