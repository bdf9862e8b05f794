"""The output of a batch: records, each written whole before its line counts as done."""

from __future__ import annotations

import fcntl
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

    def __init__(self, descriptor: int, name: str) -> None:
        self.name = name
        self._descriptor = descriptor
        try:
            self._may_block = may_block(descriptor)
        except OSError as error:
            raise UsageError(f"cannot write {name}: {error.strerror}") from error
        self.is_terminal = os.isatty(descriptor)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor != 1:
            os.close(self._descriptor)

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
            return os.write(self._descriptor, data)
        # What a pipe is ready to take is this much at least, and more could hold up a green hub.
        select.select([], [self._descriptor], [])
        return os.write(self._descriptor, data[: select.PIPE_BUF])


def standard_output() -> Output:
    """Return the output that is the standard output of this process."""
    return Output(1, "standard output")


def new_output(path: str) -> Output:
    """Open the output file ``path``, which must not hold anything yet.

    Raises:
        UsageError: It does, another run writes it, or it cannot be written.
    """
    descriptor = _open(path)
    if os.fstat(descriptor).st_size:
        os.close(descriptor)
        raise UsageError(f"{path} exists: --resume goes on with it, and a new run needs another --output")
    return Output(descriptor, path)


def resumed_output(path: str) -> tuple[Output, Recorded]:
    """Open the output file ``path``, cut off a record that was not written whole, and say what it records.

    A file that is not there is made, and records nothing.

    Raises:
        UsageError: It holds something else than records, another run writes it, or it cannot be written.
    """
    descriptor = _open(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"--resume needs an --output that can be read again, and {path} is not a file")
        with open(descriptor, "rb", closefd=False) as file:
            recorded = read_records(file, path)
        os.ftruncate(descriptor, recorded.whole)
    except BaseException:
        os.close(descriptor)
        raise
    return Output(descriptor, path), recorded


def _open(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    try:
        # Two runs that recorded in one file would each do what the other has done.
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise UsageError(f"cannot write {path}: another run is writing it") from error
    return descriptor
