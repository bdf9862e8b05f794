"""Fixtures of the core's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.fake_plugins import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder for distributions that are made on the fly."""
    return Site(tmp_path)
