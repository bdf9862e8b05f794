"""The pool that is held to the contract: what it is called, what it declares, and what it turned out to be."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from time import monotonic
from typing import Any

import pools
from pools import BasePool, registry
from pools.spec import Traits
from pools.states import PoolState
from pools.testing import targets
from pools.testing.history import note, patience

#: The trait by which a test says that it needs more than one slot.
SEVERAL = "max_concurrency"

#: The trait by which a test says that its jobs have to run in this process; no pool declares it, the suite looks.
HERE = "jobs in this process"

#: The trait by which a test says that they have to run in another one.
ELSEWHERE = "jobs in another process"

#: The trait by which a test says that a job's process can be ended without harm to the pool's.
CONTAINED = "a process for jobs"

#: Seconds of jobs of which a test under load submits as many as there are time for: in full, and in a quick run.
LOAD_SECONDS, QUICK_LOAD_SECONDS = 0.5, 0.1

#: Seconds of starting it for which a test may open its pool again and again; never less often than this.
START_SECONDS, FEWEST_LIVES = 1.0, 3


class PoolUnderTest:
    """One pool, and the instances of it that tests use one after another.

    Args:
        name: As ``pools.open`` takes it.
        options: What it is opened with.
        quick: Whether the tests are to do less of what they repeat.

    Attributes:
        here: Whether its jobs run in this process.
        job_seconds: What one job costs that does nothing.
    """

    def __init__(self, name: str, options: Mapping[str, Any], quick: bool) -> None:
        self.name = name
        self.options = dict(options)
        self.quick = quick
        self.traits: Traits = pools.spec(name).traits
        self.pool_name = pools.spec(name).name
        several = 3 if quick else 4
        self.several = min(several, self.traits.max_concurrency or several)
        self.here = True
        self.job_seconds = 0.0
        self._shared: dict[int, BasePool] = {}
        self._used: list[tuple[int, BasePool]] = []

    def look(self) -> None:
        """Run a few jobs: whether they run in this process, and what they cost.

        What a process makes once and keeps, its hub above all, is there before anything is counted.
        """
        pool = self.share(1)
        limits: dict[str, Any] = {"timeout": 30.0} if self.traits.hard_timeout else {}
        self.here = pool.apply_async(targets.pid, **limits).result(patience()) == os.getpid()
        pool.timer.call_after(0.0, targets.pid)
        began = monotonic()
        for _ in range(5):
            pool.apply_async(targets.give, (1,)).result(patience())
        self.job_seconds = (monotonic() - began) / 5

    def has(self, trait: str) -> bool:
        """Whether the pool promises what a test needs: a trait, or what is named above."""
        if trait == SEVERAL:
            return self.several > 1
        if trait == HERE:
            return self.here
        if trait == ELSEWHERE:
            return not self.here
        if trait == CONTAINED:
            return not self.here and self.traits.hard_timeout == "kill"
        return bool(getattr(self.traits, trait))

    def load(self, count: int) -> int:
        """How many jobs a test under load is to submit that would submit ``count`` to a fast pool."""
        seconds = QUICK_LOAD_SECONDS if self.quick else LOAD_SECONDS
        return max(8, min(count // 8 if self.quick else count, int(seconds / max(self.job_seconds, 1e-5))))

    def rounds(self, count: int) -> int:
        """How often a test is to repeat what it would do ``count`` times in full."""
        return max(1, count // 8) if self.quick else count

    @functools.cached_property
    def start_seconds(self) -> float:
        """What it costs to start a pool of one slot and to stop it."""
        began = monotonic()
        self.open(1).stop(timeout=patience())
        return monotonic() - began

    def lives(self, count: int) -> int:
        """How often a test is to start a pool anew that would do so ``count`` times with one that starts fast."""
        return min(self.rounds(count), max(FEWEST_LIVES, int(START_SECONDS / max(self.start_seconds, 1e-5))))

    def open(self, concurrency: int = 1, **options: Any) -> BasePool:
        """Open a pool, for the caller to stop."""
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        note(f"opened with {concurrency} slots{given and f', {given}'}")
        return pools.open(self.name, concurrency, **{**self.options, **options})

    def make(self, concurrency: int = 1) -> BasePool:
        """Make a pool that was not started."""
        return registry.pool_class(self.name)(concurrency, **self.options)

    def share(self, concurrency: int) -> BasePool:
        """A pool that other tests use too: as good as new, as long as none of them fails."""
        pool = self._shared.get(concurrency)
        if pool is None or pool.state is not PoolState.RUNNING:
            pool = self._shared[concurrency] = self.open(concurrency)
        self._used.append((concurrency, pool))
        return pool

    def settle(self, failed: bool) -> None:
        """See to it that the next test finds nothing of this one in a shared pool."""
        used, self._used = self._used, []
        if failed:
            shared = list(self._shared.values())
            self._shared.clear()
            for pool in shared:
                pool.terminate()
            return
        for concurrency, pool in used:
            assert pool.join(patience()), f"{pool!r} has something to do for ever: {pool.info}"
            assert pool.concurrency == concurrency, f"{pool!r} had {concurrency} slots before its jobs"

    def end(self) -> None:
        """Stop the shared pools."""
        for pool in self._shared.values():
            pool.stop(timeout=5.0)
        self._shared.clear()
