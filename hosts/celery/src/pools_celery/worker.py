"""``pools worker``: Celery's own command ``worker``, on a pool of pools."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from pools import config, restart
from pools_celery import choice


@click.command(
    "worker",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def worker(arguments: tuple[str, ...]) -> None:
    """Run a Celery worker on a pool."""
    import celery.bin.worker as module
    from celery.bin.celery import celery

    from pools_celery.arguments import split

    pool = next(parameter for parameter in module.worker.params if parameter.name == "pool")
    pool.type, pool.default, pool.callback = click.STRING, None, _choose
    pool.help = "The pool: any that is installed."
    module.detach = functools.partial(_detach, module.detach)
    own, rest = split(arguments, celery.params, module.worker.params)
    celery.main([*own, "worker", *rest], prog_name="pools", auto_envvar_prefix="CELERY")


def _choose(ctx: click.Context, _parameter: click.Parameter, name: str | None) -> Any:
    """The class that Celery is to make the pool of: named here, configured for pools, or by the application."""
    conf = ctx.obj.app.conf
    name = name or config.pool_name() or conf.worker_pool
    if isinstance(name, str) and name.startswith("pools_celery:"):
        name = config.DEFAULT_POOL
    config.choose_pool(name)
    restart.with_pool(name)
    # So that Celery does not say that its own pools are not to be chosen by a setting.
    conf.worker_pool = "pools_celery:TaskPool"
    return choice.of(name)


def _detach(detach: Callable[..., Any], python: str, command: Sequence[str], **options: Any) -> Any:
    """Have what goes on in the background be this command; Celery would start its own there with our arguments."""
    _, _, *arguments = command
    return detach(python, ["-m", "pools", *arguments], **options)
