"""How the value of a setting is read, whether it is text or comes from TOML. Each reader raises ``ValueError``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pools.spec import Option

Reader = Callable[[Any], Any]


def name(value: Any) -> str:
    """Read the name of a pool."""
    if not isinstance(value, str) or not value:
        raise ValueError("not the name of a pool")
    return value


def reference(value: Any) -> str:
    """Read where a class is."""
    if not isinstance(value, str) or ":" not in value:
        raise ValueError("not of the form module:Class")
    return value


def text(value: Any) -> str:
    """Read what may be any text."""
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def _whole(value: Any) -> int:
    """Return a whole number; -1 for anything that is not one."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdecimal() else -1
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def concurrency(value: Any) -> int | str:
    """Read how many slots a pool has."""
    if value != "auto" and _whole(value) < 1:
        raise ValueError('not a positive number or "auto"')
    return "auto" if value == "auto" else _whole(value)


def queue_limit(value: Any) -> int:
    """Read how many jobs may wait."""
    if _whole(value) < 0:
        raise ValueError("not a number of jobs")
    return _whole(value)


def count(value: Any) -> int:
    """Read a positive number of something."""
    if _whole(value) < 1:
        raise ValueError("not a positive number")
    return _whole(value)


def seconds(value: Any) -> float:
    """Read a time."""
    try:
        found = float(value) if not isinstance(value, bool) else 0.0
    except (TypeError, ValueError):
        found = 0.0
    if not 0 < found < float("inf"):
        raise ValueError("not a positive number of seconds")
    return found


def switch(value: Any) -> bool:
    """Read whether something is on."""
    found = {"1": True, "true": True, "0": False, "false": False}.get(str(value).lower())
    if found is None:
        raise ValueError("not true or false")
    return found


def one_of(*choices: str) -> Reader:
    """Make a reader of one of several words."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"not {' or '.join(choices)}")
        return str(value)

    return read


_BY_TYPE: Mapping[str, Reader] = {"text": text, "count": count, "seconds": seconds, "switch": switch}


def reader(option: Option) -> Reader:
    """Return the reader of an option that a plugin declares."""
    return one_of(*option.choices) if option.choices else _BY_TYPE[option.type]
