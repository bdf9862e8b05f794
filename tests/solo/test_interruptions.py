"""A limit lands where its job stands, but never in the middle of what the job has a pool do."""

from __future__ import annotations

import random
import threading
from time import monotonic
from typing import Any

import pytest

import pools
from pools.errors import SoftTimeLimitExceeded, TimeLimitExceeded
from tests.contract.records import PATIENCE, apply, wait

pytestmark = pytest.mark.usefixtures("no_garbage_collection")


@pytest.mark.parametrize("limit", ["soft_timeout", "timeout"])
def test_a_limit_cuts_no_use_of_another_pool(limit: str) -> None:
    """Each job that was submitted ends, and the timer goes on, and stops."""
    dice = random.Random(12)
    with pools.open("solo") as solo, pools.open("threads", 4) as other:

        def use_other_pool() -> None:
            give_up_at = monotonic() + PATIENCE
            while monotonic() < give_up_at:
                other.apply_async(int)
                other.timer.call_after(0.0, int)

        for _ in range(300):
            options: dict[str, Any] = {limit: dice.uniform(2e-4, 1e-3)}
            record = apply(solo, use_other_pool, **options)
            assert isinstance(record.error(), SoftTimeLimitExceeded | TimeLimitExceeded)
            record.check()
        made = threading.Event()
        other.timer.call_after(0.0, made.set)
        wait(made)
        other.close()
        assert other.join(PATIENCE), other.info
