"""The arguments of ``pools worker``: which of them are for ``celery`` itself, and which for its worker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click


def split(
    arguments: Sequence[str], of_celery: Iterable[click.Parameter], of_worker: Iterable[click.Parameter]
) -> tuple[list[str], list[str]]:
    """Part the arguments; both kinds may stand in any order.

    Args:
        arguments: What follows ``pools worker``.
        of_celery: The options that Celery reads before the name of its command.
        of_worker: Those that it reads after it, which come first where both have one of a name.

    Returns:
        Those of Celery, and the others.
    """
    theirs, others = _takes_value(of_worker), _takes_value(of_celery)
    before: list[str] = []
    after: list[str] = []
    position = 0
    while position < len(arguments):
        argument = arguments[position]
        option, value_inside = _option(argument)
        known = theirs if option in theirs else others
        end = position + 1 + (known.get(option, False) and not value_inside)
        (before if option in others and option not in theirs else after).extend(arguments[position:end])
        position = end
    return before, after


def _takes_value(parameters: Iterable[click.Parameter]) -> dict[str, bool]:
    options = [parameter for parameter in parameters if isinstance(parameter, click.Option)]
    return {name: not (option.is_flag or option.count) for option in options for name in option.opts}


def _option(argument: str) -> tuple[str, bool]:
    """The option that an argument is, and whether its value is part of it."""
    if argument.startswith("--"):
        name, equals, _ = argument.partition("=")
        return name, bool(equals)
    return argument[:2], len(argument) > 2
