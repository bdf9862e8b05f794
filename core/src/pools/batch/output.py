"""The output of a batch: records, each written whole before its line counts as done."""

from __future__ import annotations

import fcntl
import io
import os
import select
import stat
from types import TracebackType

from pools.batch.descriptors import may_block
from pools.batch.resume import Recorded, read_records
from pools.errors import PoolsError, UsageError


class OutputError(PoolsError):
    """Records can no longer be written: who reads them went away, or the disk is full."""


class Output:
    """Where the records go.

    Attributes:
        name: What it is called in messages.
        is_terminal: Whether a person sees the records as they come.
    """

    def __init__(self, file: io.FileIO, name: str) -> None:
        self.name = name
        self.is_terminal = file.isatty()
        self._file = file
        self._may_block = may_block(file)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, record: bytes) -> None:
        """Write a record; it is with the system when this returns, and outlives this process.

        Raises:
            OutputError: It cannot be written.
        """
        rest = memoryview(record)
        try:
            while rest:
                rest = rest[self._write_some(rest) :]
        except OSError as error:
            raise OutputError(f"cannot write {self.name}: {error.strerror}") from error

    def _write_some(self, data: memoryview) -> int:
        if not self._may_block:
            return self._file.write(data)
        # What a pipe is ready to take is this much at least, and more could hold up a green hub. Where whoever shares
        # the pipe made it non-blocking and was faster, nothing is written.
        select.select([], [self._file], [])
        return self._file.write(data[: select.PIPE_BUF]) or 0


def standard_output() -> Output:
    """Return the output that is the standard output of this process.

    Raises:
        UsageError: It is closed.
    """
    try:
        return Output(io.FileIO(1, "w", closefd=False), "standard output")
    except OSError as error:
        raise UsageError(f"cannot write standard output: {error.strerror}") from error


def new_output(path: str) -> Output:
    """Open the output file ``path``, which must not hold anything yet.

    Raises:
        UsageError: It does, another run writes it, or it cannot be written.
    """
    file = _open(path, "a")
    if os.fstat(file.fileno()).st_size:
        file.close()
        raise UsageError(f"{path} exists: --resume goes on with it, and a new run needs another --output")
    return Output(file, path)


def resumed_output(path: str) -> tuple[Output, Recorded]:
    """Open the output file ``path``, cut off a record that was not written whole, and say what it records.

    A file that is not there is made, and records nothing.

    Raises:
        UsageError: It holds something else than records, another run writes it, or it cannot be written.
    """
    file = _open(path, "a+")
    try:
        if not _is_regular(file):
            raise UsageError(f"--resume needs an --output that can be read again, and {path} is not a file")
        file.seek(0)
        reader = io.BufferedReader(file)
        recorded = read_records(reader, path)
        reader.detach()
        file.truncate(recorded.whole)
    except BaseException:
        file.close()
        raise
    return Output(file, path), recorded


def _open(path: str, mode: str) -> io.FileIO:
    try:
        file = io.FileIO(path, mode)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    try:
        # Two runs that recorded in one file would each do what the other has done.
        if _is_regular(file):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise UsageError(f"cannot write {path}: another run is writing it") from error
    return file


def _is_regular(file: io.FileIO) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
