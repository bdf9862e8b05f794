"""The options that the prefork pool takes beyond those that every pool takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pools.options import PoolOptions
from pools.spec import Traits


@dataclass(frozen=True, slots=True)
class PreforkOptions(PoolOptions):
    """See :class:`pools.options.PoolOptions` for the others.

    Attributes:
        start_method: How children start. ``"fork"``: as forks of this process, which is fast, and hands on whatever it
            has in memory, locks that other threads hold included; ``"forkserver"``: as forks of a fresh interpreter;
            ``"spawn"``: each as a fresh interpreter. None: fork if this process has no other thread when the pool
            starts, else forkserver.
        max_tasks_per_child: After how many jobs a child is replaced.
        max_memory_per_child: Above how many KiB a child is replaced after its job.
        hard_memory_per_child: Above how many KiB a child is killed during its job, whose outcome is
            ``MemoryLimitExceeded``.
        max_age_per_child: After how many seconds a child is replaced, after its job.
        proc_alive_timeout: Seconds that a child has to come up; then it is killed, and another one started.
        stall_timeout: Seconds that an idle child has to begin a job that it was sent; then it is killed, and the job
            runs elsewhere.
    """

    start_method: Literal["fork", "forkserver", "spawn"] | None = None
    max_tasks_per_child: int | None = None
    max_memory_per_child: int | None = None
    hard_memory_per_child: int | None = None
    max_age_per_child: float | None = None
    proc_alive_timeout: float = 10.0
    stall_timeout: float = 10.0

    def check(self, pool: str, traits: Traits) -> None:
        """Raise what is wrong with the options.

        Raises:
            UnsupportedError: The pool's traits rule an option out.
            ValueError: An option has no meaning.
        """
        PoolOptions.check(self, pool, traits)
        if self.start_method not in (None, "fork", "forkserver", "spawn"):
            raise ValueError(f'start_method must be "fork", "forkserver" or "spawn", not {self.start_method!r}')
        for name in ("max_tasks_per_child", "max_memory_per_child", "hard_memory_per_child"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and value > 0):
                raise ValueError(f"{name} must be a positive number, not {value!r}")
        for name in ("max_age_per_child", "proc_alive_timeout", "stall_timeout"):
            value = getattr(self, name)
            optional = name == "max_age_per_child" and value is None
            if not optional and not (isinstance(value, int | float) and not isinstance(value, bool) and value > 0):
                raise ValueError(f"{name} must be a positive number of seconds, not {value!r}")
