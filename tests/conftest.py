"""What every test starts from."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ``POOLS_*`` variable of the developer's own shell changes what a test sees."""
    for name in [name for name in os.environ if name.startswith("POOLS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """A limit that is raised in a finalizer, or in a callback of the garbage collector, is lost, as Python has it.

    Cycles that earlier tests left would have both in the middle of jobs.
    """
    gc.disable()
    yield
    gc.enable()
