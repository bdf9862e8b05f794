"""What a nursery tells the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools_prefork.child_process import ChildProcess


@dataclass(frozen=True)
class Born:
    """A child is there: it was started, and is not up yet.

    Attributes:
        number: Its number in the pool.
        process: Its process; there to be signalled until the child is reported as dead.
    """

    number: int
    process: ChildProcess

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid


@dataclass(frozen=True)
class Died:
    """A child is gone, or could not be started. The last report of its number.

    Attributes:
        number: Its number in the pool.
        exit_code: The code that it exited with, or None.
        signal: The number of the signal that killed it, or None. Both are None if nobody knows, since the nursery died
            before the child, or if it was never born.
        peak_memory: The most memory that it had, in KiB; 0 if nobody knows.
        reason: Why the child could not be started; empty if it was.
    """

    number: int
    exit_code: int | None = None
    signal: int | None = None
    peak_memory: int = 0
    reason: str = ""


@dataclass(frozen=True)
class NurseryDied:
    """The nursery is gone, and was not told to end; its children live. ``Nursery.start`` starts another.

    Attributes:
        exit_code: The code that it exited with, or None.
        signal: The number of the signal that killed it, or None.
        reason: What it could not do, with the traceback, if it said so; empty if it did not.
    """

    exit_code: int | None = None
    signal: int | None = None
    reason: str = ""
