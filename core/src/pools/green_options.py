"""The options of pools of greenlets."""

from __future__ import annotations

from dataclasses import dataclass

from pools.options import PoolOptions
from pools.spec import Traits


@dataclass(frozen=True, slots=True)
class GreenOptions(PoolOptions):
    """See :class:`pools.options.PoolOptions` for the others.

    Attributes:
        block_limit: For how many seconds code may hold the hub until it is reported (see :mod:`pools.blocking`).
    """

    block_limit: float | None = None

    def check(self, pool: str, traits: Traits) -> None:
        """Raise what is wrong with the options.

        Raises:
            UnsupportedError: The pool's traits rule an option out.
            ValueError: An option has no meaning.
        """
        PoolOptions.check(self, pool, traits)
        limit = self.block_limit
        if limit is not None and not (isinstance(limit, int | float) and not isinstance(limit, bool) and limit > 0):
            raise ValueError(f"block_limit must be a positive number of seconds, not {limit!r}")
