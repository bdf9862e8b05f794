"""The options that every pool takes, checked against what the pool promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pools.errors import SoftTimeLimitExceeded, UnsupportedError
from pools.spec import Traits
from pools.stats import processors


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """The options that every pool takes.

    Attributes:
        soft_timeout: The soft limit, in seconds, of jobs that are given none of their own.
        timeout: The hard limit, in seconds, of jobs that are given none of their own.
        putlocks: ``apply_async`` waits for a free slot: the same as ``max_queued=0``.
        max_queued: How many unfinished jobs there may be beyond those that run; None: any number.
        when_full: What ``apply_async`` does when that many wait: ``"block"``, or ``"raise"`` ``PoolFullError``.
        initializer: Called as ``initializer(*initargs)`` in each slot before its first job. If it raises, the pool is
            broken.
        initargs: Its arguments.
        context: Whether jobs run in a ``"copy"`` of the context in which they were submitted (the default where the
            pool has the trait ``context``) or in an ``"empty"`` one.
        soft_error: What a soft limit raises in a job: a subclass, where the host's jobs know it by another name.
    """

    soft_timeout: float | None = None
    timeout: float | None = None
    putlocks: bool = False
    max_queued: int | None = None
    when_full: Literal["block", "raise"] = "block"
    initializer: Callable[..., object] | None = None
    initargs: tuple[Any, ...] = ()
    context: Literal["copy", "empty"] | None = None
    soft_error: type[SoftTimeLimitExceeded] = SoftTimeLimitExceeded

    def check(self, pool: str, traits: Traits) -> None:
        """Raise what is wrong with the options of the pool of this name.

        Raises:
            UnsupportedError: The pool's traits rule an option out.
            ValueError: An option has no meaning.
        """
        check_limits(pool, traits, self.soft_timeout, self.timeout)
        if self.max_queued is not None and not (isinstance(self.max_queued, int) and self.max_queued >= 0):
            raise ValueError(f"max_queued must be zero or a positive number, not {self.max_queued!r}")
        if self.when_full not in ("block", "raise"):
            raise ValueError(f'when_full must be "block" or "raise", not {self.when_full!r}')
        if self.context not in (None, "copy", "empty"):
            raise ValueError(f'context must be "copy" or "empty", not {self.context!r}')
        if self.context == "copy" and not traits.context:
            raise UnsupportedError(f"pool {pool} cannot run jobs in a copy of their context (trait context is False)")
        if not (isinstance(self.soft_error, type) and issubclass(self.soft_error, SoftTimeLimitExceeded)):
            raise ValueError(f"soft_error must be a subclass of SoftTimeLimitExceeded, not {self.soft_error!r}")
        if self.initializer is not None and not callable(self.initializer):
            raise ValueError(f"initializer must be something to call, not {self.initializer!r}")
        if self.initializer is not None and not traits.initializer:
            raise UnsupportedError(f"pool {pool} calls no initializer (trait initializer is False)")

    @property
    def queue_limit(self) -> int | None:
        """How many unfinished jobs there may be beyond those that run."""
        return 0 if self.putlocks else self.max_queued


def check_limits(pool: str, traits: Traits, soft_timeout: float | None, timeout: float | None) -> None:
    """Raise what is wrong with the limits of a job.

    Raises:
        UnsupportedError: The pool has no such limits.
        ValueError: A limit is not positive.
    """
    # Written out: a loop costs a job with limits more than the rest of its checks.
    if soft_timeout is not None and not (isinstance(soft_timeout, (int, float)) and soft_timeout > 0):
        raise ValueError(f"soft_timeout must be a positive number of seconds, not {soft_timeout!r}")
    if timeout is not None and not (isinstance(timeout, (int, float)) and timeout > 0):
        raise ValueError(f"timeout must be a positive number of seconds, not {timeout!r}")
    if soft_timeout is not None and not traits.soft_timeout:
        raise UnsupportedError(f"pool {pool} has no soft limits (trait soft_timeout is False)")
    if timeout is not None and traits.hard_timeout is None:
        raise UnsupportedError(f"pool {pool} has no hard limits (trait hard_timeout is None)")


def slot_count(pool: str, traits: Traits, concurrency: int | str | None) -> int:
    """How many slots a pool gets that is asked for ``concurrency``.

    Args:
        pool: The pool's name.
        traits: Its traits.
        concurrency: A positive number, or ``"auto"`` or None for the processors that this process may use.

    Raises:
        UnsupportedError: The pool cannot have so many.
        ValueError: It is none of these.
    """
    most = traits.max_concurrency
    if concurrency is None or concurrency == "auto":
        return processors() if most is None else min(processors(), most)
    if not isinstance(concurrency, int) or isinstance(concurrency, bool) or concurrency < 1:
        raise ValueError(f'concurrency must be a positive number or "auto", not {concurrency!r}')
    if most is not None and concurrency > most:
        raise UnsupportedError(
            f"pool {pool} cannot have {concurrency} slots: at most {most} (trait max_concurrency is {most})"
        )
    return concurrency
