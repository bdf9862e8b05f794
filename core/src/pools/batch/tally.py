"""How far a batch has come: counts, the rate of late, and the time that is left. Pure: the clock is passed in."""

from __future__ import annotations

from collections import Counter, deque

from pools.states import JobState

#: Over how many seconds the rate is taken.
_WINDOW = 10.0


class Tally:
    """The counts of one run.

    Attributes:
        outcomes: How many lines were recorded, by outcome.
        running: How many calls the pool has at work, as far as the batch can tell.
        retried: How many attempts failed and were followed by another one.
        skipped: How many lines earlier runs have recorded.
        skipped_failed: How many of those did not succeed.
        size: How many bytes the input has, or None.
        bytes_done: How many of them stand for recorded lines.
    """

    def __init__(
        self, now: float, size: int | None, skipped: int = 0, skipped_failed: int = 0, bytes_skipped: int = 0
    ) -> None:
        self.outcomes: Counter[JobState] = Counter()
        self.running = 0
        self.retried = 0
        self.skipped = skipped
        self.skipped_failed = skipped_failed
        self.size = size
        self.bytes_done = bytes_skipped
        self._bytes_skipped = bytes_skipped
        self._began = now
        self._samples: deque[tuple[float, int]] = deque([(now, 0)])

    @property
    def done(self) -> int:
        """How many lines were recorded."""
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        """How many of them did not succeed."""
        return self.done - self.outcomes[JobState.SUCCEEDED]

    @property
    def all_succeeded(self) -> bool:
        """Whether no line of this run or of earlier ones was recorded as anything but succeeded."""
        return not self.failed and not self.skipped_failed

    def add(self, outcome: JobState, size: int) -> None:
        """Count a recorded line of ``size`` bytes."""
        self.outcomes[outcome] += 1
        self.bytes_done += size

    def seconds(self, now: float) -> float:
        """Return how long the run has lasted."""
        return now - self._began

    def overall_rate(self, now: float) -> float:
        """Return how many lines were recorded per second since the run began."""
        return self.done / self.seconds(now) if now > self._began else 0.0

    def rate(self, now: float) -> float:
        """Return how many lines were recorded per second of late; to be asked now and then."""
        self._samples.append((now, self.done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:
            self._samples.popleft()
        then, done = self._samples[0]
        return (self.done - done) / (now - then) if now > then else 0.0

    def fraction(self) -> float | None:
        """Return how much of the input is done, from 0 to 1; None if its size is not known."""
        # The last line may lack its end, which counts as a byte all the same.
        return min(self.bytes_done / self.size, 1.0) if self.size else None

    def seconds_left(self, now: float) -> float | None:
        """Return how long the rest will take if it goes on like this; None if that cannot be told yet."""
        here = self.bytes_done - self._bytes_skipped
        if self.size is None or not here:
            return None
        return self.seconds(now) * max(self.size - self.bytes_done, 0) / here
