"""The command ``pools``: finds its commands, each imported when it is needed."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import click

from pools.cli.arguments import HELP_OPTIONS
from pools.cli.builtin import BUILTIN
from pools.errors import PluginError, PluginWarning


class _Lazy(NamedTuple):
    target: str
    summary: str


class PoolsGroup(click.Group):
    """The commands of the core, and those that ``pools_commands`` hooks add.

    Extensions are asked for commands when a name is none of the core's, and the plugins of pools only when it is no
    extension's either; all are asked for the list of commands. So a command with pool A imports nothing of pool B.
    """

    def __init__(self) -> None:
        super().__init__(
            "pools",
            help="Execution pools behind one interface: what is installed, and work done with it.",
            context_settings={"help_option_names": list(HELP_OPTIONS)},
            params=[_version_option()],
        )
        self._lazy = {name: _Lazy(builtin.target, builtin.summary) for name, builtin in BUILTIN.items()}
        self._asked: set[str] = set()

    def add_lazy_command(self, name: str, target: str, summary: str) -> None:
        """Add a command whose module is imported when the command is run, or its own help shown.

        Args:
            name: The name of the command.
            target: Where its click command is, as ``"module:attribute"``.
            summary: Its line in ``pools --help``.

        Raises:
            PluginError: There is a command of this name.
        """
        self._refuse_taken(name)
        self._lazy[name] = _Lazy(target, summary)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; :exc:`pools.errors.PluginError` if there is one of its name."""
        self._refuse_taken(name or str(cmd.name))
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the name of every command."""
        self._ask("pools.extensions")
        self._ask("pools.plugins")
        return sorted({*self._lazy, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now; None if there is none of this name."""
        for group in ("pools.extensions", "pools.plugins"):
            if cmd_name not in self._lazy and cmd_name not in self.commands:
                self._ask(group)
        if cmd_name in self._lazy:
            return _load(cmd_name, self._lazy[cmd_name].target)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands for ``pools --help``, which imports none of them."""
        names = self.list_commands(ctx)
        summaries = {name: command.get_short_help_str() for name, command in self.commands.items()}
        summaries.update((name, lazy.summary) for name, lazy in self._lazy.items())
        with formatter.section("Commands"):
            formatter.write_dl([(name, summaries[name]) for name in names])

    def _refuse_taken(self, name: str) -> None:
        if name in self._lazy or name in self.commands:
            raise PluginError(f"there is a command {name} already")

    def _ask(self, entry_point_group: str) -> None:
        """Ask every plugin of a group for its commands, once; one that cannot be asked is warned of."""
        from pools import hooks
        from pools.discovery import installed, load

        if entry_point_group in self._asked:
            return
        self._asked.add(entry_point_group)
        for plugin in installed(entry_point_group):
            try:
                module = load(plugin)
            except PluginError:
                continue  # `pools list` has the reason
            try:
                hooks.verify(module).hook.pools_commands(group=self)
            except Exception as error:
                reason = f"{plugin.label}: its commands are left out: {type(error).__name__}: {error}"
                warnings.warn(reason, PluginWarning, stacklevel=2)


def _load(name: str, target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the command {name} does not import: {type(error).__name__}: {error}") from error
    if not isinstance(command, click.Command):
        raise PluginError(f"the command {name}: {target} is not a click command")
    return command


def _version_option() -> click.Option:
    def show(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
        if asked:
            import pools

            click.echo(f"pools {pools.__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, help="Show the version and exit.", callback=show
    )


def run(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name.

    Returns:
        Its exit code: what the command returned, 0 for None, and 2 where click refused the arguments.
    """
    try:
        code = PoolsGroup().main(list(arguments), prog_name="pools", standalone_mode=False)
    except click.Abort:
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        path = context.command_path if context else " ".join(("pools", *arguments[:1]))
        message = " ".join(error.format_message().split())
        print(f"{path}: {message} See `{path} --help`.", file=sys.stderr)
        return error.exit_code
    return code if isinstance(code, int) else 0
