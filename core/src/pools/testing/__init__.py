"""The conformance kit: holds any pool to the contract, point by point.

An author of a pool writes a test class, or runs ``pools check NAME``; both take the same way::

    from pools.testing import PoolConformance

    class TestMine(PoolConformance):
        pool_name = "mine"

It needs ``pools-core[testing]``. Nothing here is imported by ``import pools``, and little by this module: jobs of the
suite are functions of ``pools.testing.targets``, which other processes import.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pools.testing.conformance import PoolConformance

__all__ = ["PoolConformance"]


def __getattr__(name: str) -> object:
    if name != "PoolConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pools.testing import conformance

    return conformance.PoolConformance
