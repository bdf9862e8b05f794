"""A job as the child that runs it sees it: what ``pools.current_job()`` returns there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pools_prefork.slate import Slate


class PoolHere:
    """The child's copy of its pool: what hooks get, and what a job's ``pool`` is.

    Attributes:
        name: The pool's name.
        options: Its options.
        slot_id: The slot that this process is.
    """

    def __init__(self, name: str, options: object, slot_id: int) -> None:
        self.name = name
        self.options = options
        self.slot_id = slot_id

    def on_shield(self, job: JobHere) -> None:
        """Nothing is on its way: a soft limit comes by a signal, which looks for shields itself."""


class JobHere:
    """One job, while it runs in this process. Its attributes are those of :class:`pools.Job` of the same names."""

    __slots__ = (
        "_slate",
        "accepted_at",
        "args",
        "correlation_id",
        "deadline",
        "id",
        "kwargs",
        "pool",
        "position",
        "shielded",
        "soft_pending",
        "soft_raised",
        "soft_timeout",
        "target",
        "timeout",
    )

    def __init__(
        self,
        pool: PoolHere,
        number: int,
        position: int,
        accepted_at: float,
        target: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        slate: Slate,
    ) -> None:
        self.pool = pool
        self.id = number
        self.position = position
        self.accepted_at = accepted_at
        self.target = target
        self.args = args
        self.kwargs = kwargs
        self._slate = slate
        self.correlation_id: str | None = None
        self.soft_timeout: float | None = None
        self.timeout: float | None = None
        self.deadline: float | None = None
        self.shielded = 0
        self.soft_pending = self.soft_raised = False

    def __str__(self) -> str:
        return f"job {self.id} of pool {self.pool.name}"

    @property
    def slot_id(self) -> int:
        """The slot that runs it."""
        return self.pool.slot_id

    @property
    def cancel_requested(self) -> bool:
        """Whether anyone asked for its end, in vain so far."""
        return self._slate.cancel_requested(self.position)

    def set_limits(self, soft_timeout: float | None, timeout: float | None) -> None:
        """Set its limits, in seconds from its acceptance."""
        self.soft_timeout = soft_timeout
        self.timeout = timeout
        if timeout is not None:
            self.deadline = self.accepted_at + timeout
