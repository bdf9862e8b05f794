"""The stack of a stuck job, as ``faulthandler`` wrote it to the child's memory: it can do so even from within C."""

from __future__ import annotations

import linecache
import os
import re

from pools.call import enter
from pools_prefork.child import main
from pools_prefork.slate import STACK

#: Bytes that faulthandler writes at the most: a hundred frames, and then an ellipsis.
_MOST = 1 << 16

_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')
#: How the frames below the job begin; those of the child itself, if its arguments are being unpickled.
_OURS = tuple(f'  File "{code.co_filename}"' for code in (enter.__code__, main.__code__))


def clear(memory: int) -> None:
    """Make room for a stack, where one of another job may be."""
    os.pwrite(memory, bytes(_MOST), STACK)
    # The child writes where its descriptor stands, which is a copy of this one.
    os.lseek(memory, STACK, os.SEEK_SET)


def read(memory: int) -> str | None:
    """The stack as a traceback has it, the last call last; None if it is not there in full.

    Args:
        memory: The descriptor of the memory that the child shares.
    """
    text = os.pread(memory, _MOST, STACK).partition(b"\0")[0].decode(errors="replace")
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(_OURS) or line == "  ...\n":
            return "".join(reversed(lines))
        if frame := _FRAME.match(line):
            source = linecache.getline(frame["file"], int(frame["line"])).strip()
            below = f"    {source}\n" if source else ""
            lines.append(f'  File "{frame["file"]}", line {frame["line"]}, in {frame["name"]}\n{below}')
    return None
