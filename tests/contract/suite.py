"""How the tests of a pool run the contract suite: in a process of its own, patched from its first line."""

from __future__ import annotations

from tests.patched import check_tests


def run_suite(pool: str) -> None:
    """Hold a pool to the suite; what fails is shown."""
    check_tests(pool, "tests/contract", "--pool", pool, timeout=230.0)
