"""Settings: arguments over the command line, the environment, ``[tool.pools]`` of the project and the default.

Read before the standard library is patched, so nothing heavy is imported, and tomllib only where there is a
``pyproject.toml``: the nearest one from the working directory upward.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pools.errors import ConfigError

#: The pool that is opened when nobody names one.
DEFAULT_POOL = "prefork"

_TABLE = "[tool.pools]"


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not the name of a pool")
    return value


def _reference(value: Any) -> str:
    if not isinstance(value, str) or ":" not in value:
        raise ValueError("not of the form module:Class")
    return value


def _whole(value: Any) -> int:
    """Return a whole number; -1 for anything that is not one."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() else -1
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _concurrency(value: Any) -> int | str:
    if value != "auto" and _whole(value) < 1:
        raise ValueError('not a positive number or "auto"')
    return "auto" if value == "auto" else _whole(value)


def _queue_limit(value: Any) -> int:
    if _whole(value) < 0:
        raise ValueError("not a number of jobs")
    return _whole(value)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value) if not isinstance(value, bool) else 0.0
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError("not a positive number of seconds")
    return seconds


def _switch(value: Any) -> bool:
    switch = {"1": True, "true": True, "0": False, "false": False}.get(str(value).lower())
    if switch is None:
        raise ValueError("not true or false")
    return switch


def _one_of(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"not {' or '.join(choices)}")
        return str(value)

    return parse


#: How the value of each setting is read. The environment variable of ``soft_timeout`` is ``POOLS_SOFT_TIMEOUT``.
_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "pool": _name,
    "custom_pool": _reference,
    "concurrency": _concurrency,
    "soft_timeout": _seconds,
    "timeout": _seconds,
    "putlocks": _switch,
    "max_queued": _queue_limit,
    "when_full": _one_of("block", "raise"),
    "context": _one_of("copy", "empty"),
}


class Setting(NamedTuple):
    """A value that somebody set, and where: ``POOLS_TIMEOUT``, or a file and its table."""

    value: Any
    source: str


#: What the command line says of this process, for whatever opens a pool in it.
_command_line: dict[str, Setting] = {}


def choose_pool(name: str) -> None:
    """Note the pool of this command, over all that is configured: a program that it runs opens that pool by default."""
    _command_line["pool"] = Setting(name, "-P")


def settings() -> dict[str, Setting]:
    """Return every setting that is not an argument, by the name of the argument that it stands for.

    Raises:
        ConfigError: A value has no meaning, or the project sets something that is no setting.
    """
    found: dict[str, Setting] = {}
    for name, (value, source) in {**_from_project(), **_from_environment(), **_command_line}.items():
        try:
            found[name] = Setting(_PARSERS[name](value), source)
        except ValueError as error:
            raise ConfigError(f"{source}={value}: {error}") from None
    return found


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


def _from_environment() -> dict[str, Setting]:
    variables = {name: f"POOLS_{name.upper()}" for name in _PARSERS}
    values = {name: (os.environ.get(variable), variable) for name, variable in variables.items()}
    return {name: Setting(value, variable) for name, (value, variable) in values.items() if value}


def _from_project() -> dict[str, Setting]:
    path = _nearest_project()
    if path is None:
        return {}
    import tomllib

    try:
        tool = tomllib.loads(path.read_text("utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    table = tool.get("pools", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {_TABLE} is not a table")
    for key in table:
        if key not in _PARSERS:
            raise ConfigError(f"{path} {_TABLE} {key}: no such setting{_close(key)}")
    return {key: Setting(value, f"{path} {_TABLE} {key}") for key, value in table.items()}


def _nearest_project() -> Path | None:
    """Return the nearest ``pyproject.toml`` from the working directory upward, if there is one."""
    here = Path.cwd()
    paths = (folder / "pyproject.toml" for folder in (here, *here.parents))
    return next((path for path in paths if path.is_file()), None)


def _close(key: str) -> str:
    from difflib import get_close_matches

    matches = get_close_matches(key.replace("-", "_"), _PARSERS)
    return f" (did you mean {' or '.join(matches)}?)" if matches else f" (there are {', '.join(_PARSERS)})"
