"""What a command's arguments say before click reads them: which pool they name, and where a program's own begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pools.cli.builtin import BUILTIN, Builtin
from pools.program import OPTIONS

HELP_OPTIONS = ("-h", "--help")
POOL_OPTIONS = ("-P", "--pool")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one command, as far as they were read.

    Attributes:
        pool: The value of the last ``-P`` or ``--pool``; None if there is none.
        asks_help: There is a ``--help``.
        own: The arguments of the command itself.
        program: The program with its arguments, for a command that runs one: a script, ``-m MODULE`` or ``-c CODE``.
    """

    pool: str | None
    asks_help: bool
    own: tuple[str, ...]
    program: tuple[str, ...]


def read(name: str, arguments: Sequence[str]) -> Arguments:
    """Read the arguments of a command as click will.

    Args:
        name: The name of the command. Of one that a plugin added, the options that take no value are not known: each
            is taken to have one where the next argument does not look like an option.
        arguments: What follows the name.
    """
    command = BUILTIN.get(name)
    pool, asks_help, position = None, False, 0
    while position < len(arguments) and not _begins_program(arguments[position], command):
        argument, following = arguments[position], arguments[position + 1 : position + 2]
        if argument == "--":
            break
        option, value = _option(argument, command)
        if value is None and following and _takes_value(option, following[0], command):
            value = following[0]
            position += 1
        if option in POOL_OPTIONS:
            pool = value
        asks_help = asks_help or option in HELP_OPTIONS
        position += 1
    if command is None or not command.runs_program:
        return Arguments(pool, asks_help, tuple(arguments), ())
    start = position + (arguments[position : position + 1] == ["--"])
    return Arguments(pool, asks_help, tuple(arguments[:position]), tuple(arguments[start:]))


def _begins_program(argument: str, command: Builtin | None) -> bool:
    if command is None or not command.runs_program:
        return False
    return not argument.startswith("-") or argument == "-" or argument[:2] in OPTIONS


def _option(argument: str, command: Builtin | None) -> tuple[str | None, str | None]:
    """Return the option that an argument is, if it is one, and the value in the same argument, if it has one."""
    if argument.startswith("--"):
        option, equals, value = argument.partition("=")
        return option, value if equals else None
    if not argument.startswith("-") or argument == "-":
        return None, None
    letters = argument[1:]
    while len(letters) > 1 and _is_flag(f"-{letters[0]}", command):
        letters = letters[1:]
    return f"-{letters[0]}", letters[1:] or None


def _is_flag(option: str, command: Builtin | None) -> bool:
    return option in HELP_OPTIONS or (command is not None and option in command.flags)


def _takes_value(option: str | None, following: str, command: Builtin | None) -> bool:
    if option is None or _is_flag(option, command):
        return False
    return command is not None or option in POOL_OPTIONS or not following.startswith("-")
