"""The input of a batch: its lines, read as they are needed."""

from __future__ import annotations

import io
import os
import select
import stat
from collections import deque
from types import TracebackType
from typing import NamedTuple

from pools.batch.descriptors import may_block
from pools.errors import UsageError

_CHUNK = 64 * 1024


class Line(NamedTuple):
    """One line of the input.

    Attributes:
        number: Its number, from 1; blank lines count.
        data: What it says, without its end (``\\n`` or ``\\r\\n``).
        size: How many bytes of the input it stands for, with its end.
    """

    number: int
    data: bytes
    size: int


class Lines:
    """The lines of a file, of a pipe, or of standard input. Lines of nothing but white space are passed over.

    Attributes:
        name: What the input is called in messages.
        size: How many bytes it has, or None if nobody knows.
    """

    def __init__(self, path: str) -> None:
        """Open ``path``; ``-`` is standard input.

        Raises:
            UsageError: It cannot be read.
        """
        self.name = "standard input" if path == "-" else path
        self._ended = False
        self._lines: deque[bytes] = deque()
        self._partial: list[bytes] = []
        self._number = 0
        try:
            self._file = io.FileIO(0, closefd=False) if path == "-" else io.FileIO(path)
        except OSError as error:
            raise UsageError(f"cannot read {self.name}: {error.strerror}") from error
        status = os.fstat(self._file.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None
        self._may_block = may_block(self._file)

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def exhausted(self) -> bool:
        """Whether there are no more lines."""
        return self._ended and not self._lines

    @property
    def awaited(self) -> tuple[io.FileIO, ...]:
        """The files that are readable when :meth:`take`, which returned None, may have a line."""
        return () if self._ended else (self._file,)

    def take(self) -> Line | None:
        """Return the next line, or None if none is at hand.

        Never waits for another program.

        Raises:
            UsageError: The input can no longer be read.
        """
        while True:
            while self._lines:
                self._number += 1
                data = self._lines.popleft()
                if data.strip():
                    return Line(self._number, data.removesuffix(b"\r"), len(data) + 1)
            if self._ended or not self._read():
                return None

    def wait_and_take(self) -> Line | None:
        """Return the next line as soon as there is one, or None if there are no more."""
        while (line := self.take()) is None and not self.exhausted:
            select.select(self.awaited, [], [])
        return line

    def _read(self) -> bool:
        """Read the next piece of the input; returns whether there was one, or its end."""
        try:
            if self._may_block and not select.select([self._file], [], [], 0)[0]:
                return False
            chunk = self._file.read(_CHUNK)
        except OSError as error:
            raise UsageError(f"cannot read {self.name}: {error.strerror}") from error
        if chunk is None:
            # Whoever shares the pipe made it non-blocking and was faster.
            return False
        first, *others = chunk.split(b"\n")
        # The pieces of a long line are put together once, when its end is there.
        self._partial.append(first)
        if others:
            self._lines.append(b"".join(self._partial))
            self._lines.extend(others[:-1])
            self._partial = [others[-1]]
        if not chunk:
            self._ended = True
            self._lines.append(b"".join(self._partial))
        return True
