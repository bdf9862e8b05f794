"""What a batch shows of itself on standard error: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import abc
import sys
import time
from datetime import timedelta

from pools.batch.tally import Tally
from pools.states import JobState


class Progress(abc.ABC):
    """Shows a tally every ``interval`` seconds, and says what is to be said in between."""

    #: Seconds between two looks; None if there are none.
    interval: float | None

    @abc.abstractmethod
    def show(self, tally: Tally, now: float) -> None:
        """Show how far the batch has come."""

    @abc.abstractmethod
    def say(self, message: str) -> None:
        """Tell the user ``message``."""

    def end(self, tally: Tally, now: float) -> None:
        """Show for the last time."""
        self.say(_summary(tally, now))


class Quiet(Progress):
    """Shows nothing."""

    interval = None

    def show(self, tally: Tally, now: float) -> None:
        pass

    def say(self, message: str) -> None:
        pass


class PlainLines(Progress):
    """A line now and then."""

    interval = 5.0

    def show(self, tally: Tally, now: float) -> None:
        words = [f"{tally.done} done ({tally.rate(now):.0f}/s)", f"{tally.running} running", f"{tally.failed} failed"]
        fraction, left = tally.fraction(), tally.seconds_left(now)
        if fraction is not None:
            words.append(f"{fraction:.0%} of the input")
        if left is not None:
            words.append(f"{_clock(left)} left")
        self.say(", ".join(words))

    def say(self, message: str) -> None:
        print(f"pools run: {message}", file=sys.stderr, flush=True)


class Bar(Progress):
    """A bar on a terminal.

    Args:
        size: How many bytes the input has; None makes it a bar without an end.
    """

    interval = 0.2

    def __init__(self, size: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn
        from rich.progress import Progress as RichProgress

        # It is drawn when it is told to, so that no thread of its own draws over what a job prints.
        self._bar = RichProgress(
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            console=Console(stderr=True),
            auto_refresh=False,
            redirect_stdout=False,
            expand=True,
        )
        self._task = self._bar.add_task("", total=size, words="")
        self._bar.start()

    def show(self, tally: Tally, now: float) -> None:
        left = tally.seconds_left(now)
        words = [f"{tally.rate(now):.0f}/s", f"{tally.done} done", f"{tally.running} running", f"{tally.failed} failed"]
        if left is not None:
            words.append(f"{_clock(left)} left")
        completed = tally.bytes_done if tally.size is None else min(tally.bytes_done, tally.size)
        self._bar.update(self._task, completed=completed, words=", ".join(words), refresh=True)

    def say(self, message: str) -> None:
        self._bar.console.print(f"pools run: {message}", markup=False, highlight=False)

    def end(self, tally: Tally, now: float) -> None:
        self.show(tally, now)
        self._bar.stop()
        super().end(tally, now)


def choose(size: int | None, *, quiet: bool, shares_terminal: bool) -> Progress:
    """Return the progress that fits.

    Args:
        size: How many bytes the input has, or None.
        quiet: The user wants none.
        shares_terminal: The records go to a terminal, where they would run through a bar.
    """
    if quiet:
        return Quiet()
    return Bar(size) if sys.stderr.isatty() and not shares_terminal else PlainLines()


class Pace:
    """When the next look is due."""

    def __init__(self, interval: float | None) -> None:
        self._interval = interval
        self._next = time.monotonic() + (interval or 0.0)

    def due(self, now: float) -> bool:
        """Whether it is due; if so, the one after it is due in another interval."""
        if self._interval is None or now < self._next:
            return False
        self._next = now + self._interval
        return True

    def wait(self, now: float) -> float | None:
        """Return how many seconds are left until it is due, or None if there is none."""
        return None if self._interval is None else max(self._next - now, 0.0)


def _summary(tally: Tally, now: float) -> str:
    counts = [f"{count} {state.value}" for state in JobState if (count := tally.outcomes[state])]
    words = [f"{tally.done} done in {tally.seconds(now):.1f} s ({tally.overall_rate(now):.0f}/s)"]
    words += [", ".join(counts)] if counts else []
    words += [f"{tally.retried} retries"] if tally.retried else []
    if tally.skipped:
        words.append(f"{tally.skipped} were done before, of which {tally.skipped_failed} failed")
    return "; ".join(words)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
