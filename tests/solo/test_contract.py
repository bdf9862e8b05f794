"""The solo pool keeps the contract."""

from __future__ import annotations

import pytest

from tests.contract.suite import MODULES, run_module


@pytest.mark.parametrize("module", MODULES)
def test_contract(module: str) -> None:
    run_module("solo", module)
