"""What a test needs installed, found without importing it: a green library in pytest's own process warns of forks."""

from __future__ import annotations

import importlib.util
import sys

import pytest


def installed(name: str) -> bool:
    """Whether there is a module of this name, imported or not."""
    return name in sys.modules or importlib.util.find_spec(name) is not None


def needs(*names: str) -> None:
    """Skip the calling test, or module, unless all of these are installed."""
    missing = [name for name in names if not installed(name)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}", allow_module_level=True)
