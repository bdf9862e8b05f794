"""How the tests of a pool run the contract suite: one process for each module, patched from its first line."""

from __future__ import annotations

from pathlib import Path

from tests.patched import check_patched

#: The modules of the suite, by name.
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))


def run_module(pool: str, module: str) -> None:
    """Hold a pool to one module of the suite; a failure, or a module without tests, shows what pytest printed."""
    check_patched(
        pool,
        *("-m", "pytest", f"tests/contract/{module}.py", "--pool", pool),
        *("--color=no", "--tb=short", "-p", "no:cacheprovider"),
        # pytest-timeout's own thread would be a greenlet here, which a job that holds the hub never lets run.
        *("-o", "timeout=0", "-o", "faulthandler_timeout=60"),
        timeout=100.0,
    )
