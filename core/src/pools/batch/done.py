"""Which lines of an input are done, in little memory although they are done in any order."""

from __future__ import annotations

from bisect import bisect_right


class Done:
    """A set of line numbers, kept as ranges: lines are done nearly in order, so these are few.

    Attributes:
        highest: The highest number in it; 0 while it is empty.
    """

    def __init__(self) -> None:
        self.highest = 0
        # Range i holds the numbers from _first[i] to _last[i]; there is a gap between any two.
        self._first: list[int] = []
        self._last: list[int] = []

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._first, number) - 1
        return index >= 0 and number <= self._last[index]

    def add(self, number: int) -> None:
        """Add a number.

        Raises:
            ValueError: It is in it.
        """
        if number in self:
            raise ValueError(f"{number} is done already")
        self.highest = max(self.highest, number)
        index = bisect_right(self._first, number)
        joins_left = index > 0 and self._last[index - 1] == number - 1
        joins_right = index < len(self._first) and self._first[index] == number + 1
        if joins_left and joins_right:
            self._last[index - 1] = self._last.pop(index)
            del self._first[index]
        elif joins_left:
            self._last[index - 1] = number
        elif joins_right:
            self._first[index] = number
        else:
            self._first.insert(index, number)
            self._last.insert(index, number)
