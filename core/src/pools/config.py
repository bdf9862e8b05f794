"""Settings: arguments over the command line, the environment, ``[tool.pools]`` of the project and the default.

Read before the standard library is patched, so nothing heavy is imported, and tomllib only where there is a
``pyproject.toml``: the nearest one from the working directory upward.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pools import values
from pools.errors import ConfigError
from pools.spec import Option, PoolSpec

#: The pool that is opened when nobody names one.
DEFAULT_POOL = "prefork"

_TABLE = "[tool.pools]"


#: How the value of each setting is read. The environment variable of ``soft_timeout`` is ``POOLS_SOFT_TIMEOUT``.
_READERS: Mapping[str, values.Reader] = {
    "pool": values.name,
    "custom_pool": values.reference,
    "concurrency": values.concurrency,
    "soft_timeout": values.seconds,
    "timeout": values.seconds,
    "putlocks": values.switch,
    "max_queued": values.queue_limit,
    "when_full": values.one_of("block", "raise"),
    "context": values.one_of("copy", "empty"),
    "patch_audit": values.one_of("warn", "error", "off"),
}


class Setting(NamedTuple):
    """A value that somebody set, and where: ``POOLS_TIMEOUT``, or a file and its table."""

    value: Any
    source: str


#: What the command line says of this process, for whatever opens a pool in it.
_command_line: dict[str, Setting] = {}
#: What it says of the options of a pool, by the pool's name.
_command_line_options: dict[str, dict[str, Setting]] = {}


def choose_pool(name: str) -> None:
    """Note the pool of this command, over all that is configured: a program that it runs opens that pool by default."""
    _command_line["pool"] = Setting(name, "-P")


def choose_option(pool: str, name: str, value: Any, flag: str) -> None:
    """Note the value that the command line gives to an option which this pool declares."""
    _command_line_options.setdefault(pool, {})[name] = Setting(value, flag)


def settings(pool: PoolSpec | None = None) -> dict[str, Setting]:
    """Return every setting that is not an argument, by the name of the argument that it stands for.

    Args:
        pool: Whose options are meant as well; None for what holds for every pool.

    Raises:
        ConfigError: A value has no meaning.
    """
    options = pool.options if pool else ()
    readers = {**_READERS, **{option.name: values.reader(option) for option in options}}
    variables = {**_variables(), **{option.name: variable(option) for option in options}}
    project = {name: setting for name, setting in _from_project().items() if name in readers}
    given = {**project, **_from_environment(variables), **_command_line}
    if pool:
        given.update(_command_line_options.get(pool.name, {}))
    found: dict[str, Setting] = {}
    for name, (value, source) in given.items():
        try:
            found[name] = Setting(readers[name](value), source)
        except ValueError as error:
            raise ConfigError(f"{source}={value}: {error}") from None
    return found


def strangers(pool: PoolSpec) -> dict[str, Setting]:
    """Return what the project sets, and variables of the environment named like settings, that this pool does not know.

    Returns:
        By the key of the project's table, or the name of the variable.
    """
    keys = {*_READERS, *(option.name for option in pool.options)}
    variables = {*_variables().values(), *map(variable, pool.options)}
    unknown = {name: setting for name, setting in _from_project().items() if name not in keys}
    for name, value in os.environ.items():
        if name.startswith("POOLS_") and name not in variables:
            unknown[name] = Setting(value, name)
    return unknown


def variable(option: Option) -> str:
    """Return the environment variable that sets an option of a pool."""
    return option.env or f"POOLS_{option.name.upper()}"


def pool_name() -> str | None:
    """Return the name of the pool that anything but an argument names; None if nothing does."""
    setting = settings().get("pool")
    return setting.value if setting else None


def custom_pool() -> str:
    """Return what the pool name ``custom`` stands for, as ``module:Class``.

    Raises:
        ConfigError: Nothing says what it stands for.
    """
    setting = settings().get("custom_pool")
    if setting is None:
        raise ConfigError("the pool custom is what POOLS_CUSTOM_POOL=module:Class says, and it is not set")
    return str(setting.value)


def close_settings(key: str, pool: PoolSpec) -> str:
    """Return what may have been meant by a key of the project's table that is no setting, as the end of a message."""
    from difflib import get_close_matches

    known = [*_READERS, *(option.name for option in pool.options)]
    matches = get_close_matches(key.replace("-", "_"), known)
    return f" (did you mean {' or '.join(matches)}?)" if matches else f" (there are {', '.join(known)})"


def _variables() -> dict[str, str]:
    return {name: f"POOLS_{name.upper()}" for name in _READERS}


def _from_environment(variables: Mapping[str, str]) -> dict[str, Setting]:
    given = {name: (os.environ.get(variable), variable) for name, variable in variables.items()}
    return {name: Setting(value, variable) for name, (value, variable) in given.items() if value}


def _from_project() -> dict[str, Setting]:
    path = _nearest_project()
    if path is None:
        return {}
    try:
        tool = _parsed(path.read_text("utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    table = tool.get("pools", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {_TABLE} is not a table")
    return {key: Setting(value, f"{path} {_TABLE} {key}") for key, value in table.items()}


@lru_cache(maxsize=1)
def _parsed(text: str) -> dict[str, Any]:
    """Return what a ``pyproject.toml`` says: of the same text that is asked for at each opening of a pool, twice."""
    import tomllib

    return tomllib.loads(text)


def _nearest_project() -> Path | None:
    """Return the nearest ``pyproject.toml`` from the working directory upward, if there is one."""
    here = Path.cwd()
    paths = (folder / "pyproject.toml" for folder in (here, *here.parents))
    return next((path for path in paths if path.is_file()), None)
