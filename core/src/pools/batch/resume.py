"""Going on where an earlier run ended, however it ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pools.batch.done import Done
from pools.batch.lines import Line, Lines
from pools.batch.records import START, Entry, decode, digest
from pools.errors import UsageError


class Recorded:
    """What an output file records.

    The lines themselves are not kept: their digests, which stand for their numbers too, are added up, and so are those
    of the input's lines when it is read again. The sums differ if any line differs.

    Attributes:
        done: The numbers of the lines that have a record.
        count: How many these are.
        failed: How many of them did not succeed.
        whole: How many bytes of the file are whole records; what follows them was being written when the run ended.
    """

    def __init__(self) -> None:
        self.done = Done()
        self.count = 0
        self.failed = 0
        self.whole = 0
        self._sum = 0

    def add(self, entry: Entry, size: int) -> None:
        """Note a record of ``size`` bytes.

        Raises:
            ValueError: The line has one already.
        """
        self.done.add(entry.number)
        self.count += 1
        self.failed += not entry.succeeded
        self.whole += size
        self._sum = _added(self._sum, entry.digest)

    def agrees_with(self, total: int) -> bool:
        """Whether ``total`` is the sum over the lines that have a record."""
        return self._sum == total


class Rest(NamedTuple):
    """What is left of an input.

    Attributes:
        lines: The lines that have no record although a later one has. They are few: at most what the earlier run was
            at work on when it ended.
        skipped: How many bytes the lines that have a record stand for.
    """

    lines: list[Line]
    skipped: int


def read_records(file: Iterable[bytes], name: str) -> Recorded:
    """Read the records in the lines of an output file called ``name``.

    Raises:
        UsageError: It holds something else.
    """
    recorded = Recorded()
    for index, data in enumerate(file, start=1):
        if not data.endswith(b"\n"):
            if not data.startswith(START[: len(data)]):
                raise UsageError(f"{name}, line {index}: it is not a record of pools run")
            break
        try:
            recorded.add(decode(data), len(data))
        except ValueError as error:
            raise UsageError(f"{name}, line {index}: it is not a record of pools run: {error}") from error
    return recorded


def skip_recorded(lines: Lines, recorded: Recorded, name: str) -> Rest:
    """Read ``lines`` up to the last one that has a record in the output file called ``name``.

    Raises:
        UsageError: It is not the input that was recorded.
    """
    rest: list[Line] = []
    total = skipped = number = 0
    while number < recorded.done.highest:
        line = lines.wait_and_take()
        if line is None:
            raise UsageError(
                f"{name} records line {recorded.done.highest} of an input, and {lines.name} has only {number}: "
                "resume with the input that it was made from"
            )
        number = line.number
        if number in recorded.done:
            total = _added(total, digest(line))
            skipped += line.size
        else:
            rest.append(line)
    if not recorded.agrees_with(total):
        raise UsageError(f"{lines.name} is not the input that {name} records: it was changed, or it is another one")
    return Rest(rest, skipped)


def _added(total: int, digest: int) -> int:
    return (total + digest) % 2**64
