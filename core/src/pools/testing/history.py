"""What a test has done and seen, line by line, for the report of a failure; and how long a test waits in vain."""

from __future__ import annotations

from collections import deque

#: Seconds after which a test gives up waiting for what must happen.
PATIENCE = 12.0

#: The same, once something was waited for in vain: the pool fails in any case, and its author waits for the report.
LITTLE_PATIENCE = 4.0

#: As much of a long history as is kept: its end.
KEPT = 24

_lines: deque[str] = deque(maxlen=KEPT)
_told: deque[list[str]] = deque(maxlen=1)
_patience = [PATIENCE]


def note(line: str) -> None:
    """Add a line to the history of the test that runs."""
    _lines.append(line)


def begin() -> None:
    """Forget what was noted: a test begins, or another example of one."""
    _lines.clear()


def lines() -> list[str]:
    """What was noted since the test began; of one with many examples, the shortest history that failed."""
    return _told[0] if _told else list(_lines)


def failed() -> bool:
    """Note that an example has failed: the shortest of these histories is the one to tell. Returns whether it is."""
    shorter = not _told or len(_lines) < len(_told[0])
    if shorter:
        _told.append(list(_lines))
    return shorter


def forget_failures() -> None:
    """A new test begins."""
    _told.clear()
    _lines.clear()


def patience() -> float:
    """Seconds to wait for what must happen."""
    return _patience[-1]


def lose_patience() -> None:
    """Wait less from now on."""
    _patience[-1] = LITTLE_PATIENCE
