"""Pools and asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pools.pool import BasePool

T = TypeVar("T")


async def run(pool: BasePool, fn: Callable[..., T], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> T:
    """Run ``fn(*args, **kwargs)`` in the pool and wait for it without holding the loop up.

    If the waiting task is cancelled, the job is cancelled, or terminated if it runs and its pool can end it.
    """
    future = pool.submit(fn, *args, **kwargs)
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        if pool.traits.terminate:
            future.job.terminate()
        raise
