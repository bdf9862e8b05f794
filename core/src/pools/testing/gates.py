"""Files by which a test and its jobs know of each other, wherever those run."""

from __future__ import annotations

import itertools
from pathlib import Path

from pools.testing.waiting import eventually

_folder = Path()
_numbers = itertools.count(1)


def use_folder(folder: Path) -> None:
    """Make all files in this folder."""
    global _folder
    _folder = folder


def new_path(kind: str) -> str:
    """The path of a file that is not there yet."""
    return str(_folder / f"{kind}-{next(_numbers)}")


class Gate:
    """What a job waits for: ``targets.hold(gate.path)`` ends when the gate opens."""

    def __init__(self) -> None:
        self.path = new_path("gate")
        Path(self.path).touch()

    def open(self) -> None:
        """Let every job go that waits for it."""
        Path(self.path).unlink(missing_ok=True)


class Log:
    """Where jobs leave lines, by ``targets.note(log.path, …)``."""

    def __init__(self) -> None:
        self.path = new_path("log")

    @property
    def lines(self) -> list[str]:
        """What they have left so far."""
        return Path(self.path).read_text().splitlines() if Path(self.path).exists() else []

    def grows(self, seconds: float) -> bool:
        """Whether anything is added within so many seconds."""
        before = len(self.lines)
        return eventually(lambda: len(self.lines) > before, seconds)

    def wait(self, count: int = 1) -> None:
        """Wait until there are so many lines."""
        assert eventually(lambda: len(self.lines) >= count), f"{len(self.lines)} of {count} jobs have shown themselves"
