"""Whether code has held a hub for too long, decided from looks at it: pure, the times are passed in."""

from __future__ import annotations

#: How many looks there are in the time of a limit.
LOOKS = 10

#: Seconds between two looks, at the least.
SHORTEST = 0.01


class Vigil:
    """Adds up for how long one and the same holder has been seen without a sign of life from the hub.

    What is added is never more than is certain, so nobody is reported early; and a holding may last a fifth longer than
    the limit before it is.

    A look may come late. If the hub's thread has computed all the while, a call into C kept the interpreter's lock, and
    this time counts; if it has not, the process was stopped or got no processor, which is nobody's fault.

    Attributes:
        interval: Seconds between two looks.
        held: For how many seconds at the least the present holder has held the hub.
    """

    def __init__(self, limit: float) -> None:
        self.interval = max(limit / LOOKS, SHORTEST)
        self.held = 0.0
        self._limit = limit
        self._holder: object = None
        self._reported = False

    def look(self, holder: object, alive: bool, elapsed: float, computed: float) -> bool:
        """Take one look into account.

        Args:
            holder: Who holds the hub now, something to compare; None if nobody does.
            alive: Whether the hub has given a sign of life since the last look.
            elapsed: Seconds since then.
            computed: Seconds of processor time that the hub's thread has used since then.

        Returns:
            Whether this holding is to be reported now, which it is once.
        """
        late = elapsed - self.interval
        stuck = min(late, computed) if late > self.interval else 0.0
        if holder is None or (alive and not stuck):
            self._holder, self.held = None, 0.0
            return False
        if alive or holder != self._holder:
            self._holder, self.held, self._reported = holder, stuck, False
        else:
            self.held += min(elapsed, 2 * self.interval) if not stuck else self.interval + stuck
        if self._reported or self.held < self._limit:
            return False
        self._reported = True
        return True
