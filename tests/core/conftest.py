"""Fixtures of the core's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.batches import Folder
from tests.core.fake_plugins import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder for distributions that are made on the fly."""
    return Site(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A working directory of ``pools run``, with the functions that it calls."""
    return Folder(tmp_path)
