"""The pool keeps the contract."""

from pools.testing import PoolConformance


class TestYourPool(PoolConformance):
    """Every point of it, and each trait both ways."""

    pool_name = "yourpool"
