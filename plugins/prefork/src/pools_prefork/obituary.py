"""What is known of a child's death, in words."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path


def describe(exit_code: int | None, signal_number: int | None, peak_memory: int, out_of_memory: bool) -> str:
    """How a child ended.

    Args:
        exit_code: Its exit code, if it exited.
        signal_number: The signal that killed it, if one did.
        peak_memory: The most memory that it had, in KiB; 0 if that is not known.
        out_of_memory: Whether the kernel killed a process of this cgroup for want of memory meanwhile.
    """
    if signal_number is not None:
        how = f"was killed by {signal_name(signal_number)}"
    elif exit_code is not None:
        how = f"exited with code {exit_code}"
    else:
        how = "is gone, nobody saw how"
    if out_of_memory and signal_number == signal.SIGKILL:
        how += " (the kernel's out-of-memory killer was at work)"
    return f"{how}; it had {peak_memory} KiB of memory at its peak" if peak_memory else how


def signal_name(number: int) -> str:
    """The name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def signal_number(signal_or_name: int | str | None) -> int:
    """The number of a signal that is given as such, or by name, with or without ``SIG``; None is ``SIGTERM``.

    Raises:
        ValueError: There is no such signal.
    """
    if signal_or_name is None:
        return signal.SIGTERM
    if isinstance(signal_or_name, int):
        return signal.Signals(signal_or_name)
    name = signal_or_name.upper()
    try:
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except KeyError:
        raise ValueError(f"{signal_or_name!r} is no signal of this system") from None


class OomKills:
    """Counts what the kernel's out-of-memory killer does in the cgroup of this process, and in those above it.

    The kernel says which cgroup it killed in, not which process. ``memory.events`` of cgroup v2 and
    ``memory.oom_control`` of v1, as the kernel's admin guide describes them.
    """

    def __init__(self, root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> None:
        self._files = [file for file in _event_files(root, membership) if file.exists()]
        self._count = self._read()

    def any_since(self) -> bool:
        """Whether there were any since the last call."""
        before, self._count = self._count, self._read()
        return self._count > before

    def _read(self) -> int:
        total = 0
        for file in self._files:
            try:
                lines = file.read_text().splitlines()
            except OSError:  # the cgroup is gone, or may not be read
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
        return total


def _event_files(root: Path, membership: Path) -> Iterable[Path]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield root / path.lstrip("/") / "memory.events"
            yield root / "memory.events"
        elif "memory" in controllers.split(","):
            yield root / "memory" / path.lstrip("/") / "memory.oom_control"
            yield root / "memory" / "memory.oom_control"
