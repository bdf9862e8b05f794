"""What every test starts from."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ``POOLS_*`` variable of the developer's own shell changes what a test sees."""
    for name in [name for name in os.environ if name.startswith("POOLS_")]:
        monkeypatch.delenv(name)
