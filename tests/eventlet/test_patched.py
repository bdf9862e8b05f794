"""What is eventlet's own, in processes that are patched for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.patched import check_tests

HERE = Path(__file__).parent / "patched"


@pytest.mark.parametrize("module", sorted(path.name for path in HERE.glob("test_*.py")))
def test_patched(module: str) -> None:
    check_tests("eventlet", str(HERE / module))
