"""Commands that open a pool: they take ``-P NAME`` and whatever options that pool declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from pools import config, registry, restart, strangers, values
from pools.errors import PoolsError
from pools.spec import Option, PoolSpec


class PoolCommand(click.Command):
    """A command that opens a pool: the one of its parameter ``pool`` (``-P NAME``), or of the configuration.

    For each option that this pool declares it takes ``--NAME VALUE``. ``pools.open`` finds the value among the
    settings; the command's own function does not get it. A command of a plugin is one by
    ``@click.command(cls=PoolCommand)``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments: first for the pool that they name, and then with its options."""
        named = self._pool_named(ctx, args)
        if named == config.pool_name() or restart.chosen() is not None:
            named = None
        if named is not None:
            # Of the commands of plugins, boot cannot know which short options take no value: `-vP gevent`.
            config.choose_pool(named)
        try:
            rest = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            pool = _pool()
            if pool is not None:
                strangers.refuse_option(pool, error.option_name.lstrip("-").replace("-", "_"), error.option_name)
            raise
        if named is not None:
            restart.with_pool(named)
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters of the command, and those of its pool."""
        return [*super().get_params(ctx), *self._of_pool()]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the command, and below them those of its pool."""
        pool = _pool()
        sections: dict[str, Sequence[click.Parameter]] = {
            "Options": super().get_params(ctx),
            f"Options of pool {pool.name if pool else '-'}": self._of_pool(),
        }
        for title, parameters in sections.items():
            options = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
            records = [record for option in options if (record := option.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def _pool_named(self, ctx: click.Context, args: list[str]) -> str | None:
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        found, _, _ = parser.parse_args(list(args))
        named: str | None = found.get("pool")
        return named

    def _of_pool(self) -> list[click.Option]:
        pool = _pool()
        options = [_click_option(pool, option) for option in pool.options] if pool else []
        taken = {name for parameter in self.params for name in (parameter.name, *parameter.opts)}
        return [option for option in options if taken.isdisjoint((option.name, *option.opts))]


def _pool() -> PoolSpec | None:
    """Return the pool that the command is to open; None if it cannot be, which opening it says better."""
    try:
        return registry.spec(config.pool_name() or config.DEFAULT_POOL)
    except PoolsError:
        return None


def _click_option(pool: PoolSpec, option: Option) -> click.Option:
    flag = f"--{option.name.replace('_', '-')}"

    def read(text: str) -> Any:
        try:
            return values.reader(option)(text)
        except ValueError as error:
            raise click.BadParameter(f"{text!r} is {error}.") from None

    def choose(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value is not None:
            config.choose_option(pool.name, option.name, value, flag)

    return click.Option(
        [flag],
        type=read,
        metavar=option.written,
        help=option.help if option.default is None else f"{option.help} [{option.default}]",
        expose_value=False,
        callback=choose,
    )
