"""The slots of a pool: which are free, and how a resize takes effect while jobs run.

Slots are numbered from 1 and a number is never used twice, so that a late request about a slot cannot hit its
successor. All of it rests on the atomic operations of a deque, for the reasons that :mod:`pools.ledger` gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator


class Slots:
    """The free slots, and the number that there should be.

    Args:
        size: How many slots to begin with.
        numbers: Where their numbers come from.

    Attributes:
        first: The lowest number; lower ones are those of earlier runs of the pool.
        free: The numbers of the slots that have nothing to do; ``free.pop()`` takes one.
        surplus: As many items as busy slots are to go when they become free.
    """

    __slots__ = ("_numbers", "_spare", "_there", "first", "free", "surplus")

    def __init__(self, size: int, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        #: As many items as slots may be removed: all but one of those that there should be.
        self._spare: deque[None] = deque([None] * (size - 1))
        #: As many items as slots are there, free or busy.
        self._there: deque[None] = deque([None] * size)
        self.surplus: deque[None] = deque()
        self.free: deque[int] = deque(next(numbers) for _ in range(size))
        self.first = self.free[0]

    @property
    def size(self) -> int:
        """How many slots there should be."""
        return len(self._spare) + 1

    def grow(self, n: int) -> None:
        """Add ``n`` slots; those that a shrink is still waiting to retire are kept first."""
        for _ in range(n):
            self._spare.append(None)
            try:
                self.surplus.pop()
            except IndexError:
                self._there.append(None)
                self.free.append(next(self._numbers))

    def shrink(self, n: int) -> list[int]:
        """Remove ``n`` slots: free ones now, the others as each becomes free.

        Returns:
            The numbers of those that were free, which are gone now.

        Raises:
            IndexError: None would be left; nothing has changed.
        """
        self._take_spare(n)
        gone = []
        for _ in range(n):
            try:
                gone.append(self.free.popleft())
            except IndexError:
                self.surplus.append(None)
            else:
                self._there.pop()
        return gone

    def replace(self) -> None:
        """Give a busy slot up (its thread was abandoned) and put a new one in its place."""
        self.free.append(next(self._numbers))

    def retires(self, slot_id: int) -> bool:
        """Whether a slot that has just become free is to go; a True settles one slot of a shrink.

        So is one that held a job, or a callback of one, beyond the end of the run that it was a slot of.
        """
        if slot_id < self.first:
            return True
        try:
            self.surplus.pop()
        except IndexError:
            return False
        self._there.pop()
        return True

    @property
    def idle(self) -> bool:
        """Whether no slot has anything to do."""
        return len(self.free) >= len(self._there)

    def _take_spare(self, n: int) -> None:
        if n > len(self._spare):
            raise IndexError
        for taken in range(n):
            try:
                self._spare.pop()
            except IndexError:  # another shrink was faster
                self._spare.extend([None] * taken)
                raise
