"""Which function a batch calls: ``module:function``."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from pools.errors import UsageError


def resolve(reference: str) -> Callable[..., Any]:
    """Import and return the function that ``reference`` names.

    Args:
        reference: ``"module:function"``; either may be dotted (``"package.module:Class.method"``).

    Raises:
        UsageError: It does not import, it is not there, or it cannot be called by a pool.
    """
    module_name, colon, attributes = reference.partition(":")
    if not (module_name and colon and attributes):
        raise UsageError(f"{reference!r} is not of the form module:function")
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise UsageError(f"{reference}: {module_name} does not import: {_in_one_line(error)}") from error
    for attribute in attributes.split("."):
        try:
            found = getattr(found, attribute)
        except AttributeError as error:
            raise UsageError(f"{reference}: {_in_one_line(error)}") from error
    if not callable(found):
        raise UsageError(f"{reference} is a {type(found).__name__}, not a function")
    if inspect.iscoroutinefunction(found):
        raise UsageError(f"{reference} is a coroutine function; a pool calls plain functions, so wrap it in one")
    return found  # type: ignore[no-any-return]


def _in_one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
