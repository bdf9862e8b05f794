"""The eventlet pool keeps the contract."""

from __future__ import annotations

import pytest

from tests.contract.suite import run_suite


@pytest.mark.timeout(240)
def test_contract() -> None:
    run_suite("eventlet")
