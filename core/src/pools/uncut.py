"""Code of a pool that jobs call too, and that no interruption of such a job may cut.

A limit is raised wherever its job stands, which may be in the middle of submitting another job or of scheduling a call.
Half of that would be a job without an outcome, a slot that nobody gives back, or a lock that nobody releases.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Interruptible(Protocol):
    """What runs jobs on a thread and interrupts them there; it is :attr:`here.interruptible` on that thread."""

    def hold(self) -> None:
        """Have interruptions of the calling job wait; one that was on its way is raised here, and nothing is held."""

    def let_go(self) -> None:
        """End one :meth:`hold`; after the last one, raise the interruption that waits."""


class _Here(threading.local):
    #: What interrupts jobs on this thread, if anything does.
    interruptible: Interruptible | None = None


here = _Here()


def uncut(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function which an interruption of the job that calls it must not cut; it comes afterwards."""

    @functools.wraps(function)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        interruptible = here.interruptible
        if interruptible is None:
            return function(*args, **kwargs)
        interruptible.hold()
        try:
            return function(*args, **kwargs)
        finally:
            interruptible.let_go()

    return whole
