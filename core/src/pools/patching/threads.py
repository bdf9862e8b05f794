"""Threads that run, as they are before a patch makes threads greenlets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple


class NativeThread(NamedTuple):
    """A thread that runs.

    Attributes:
        module: The name of the module whose code it runs.
        name: Its own.
        file: The file of that code.
        line: The line where it begins.
        identity: The identity of its Thread object; 0 if it has none.
    """

    module: str
    name: str
    file: str
    line: int
    identity: int


def native_threads() -> Iterator[NativeThread]:
    """Yield each thread that has a Thread object, except for the main thread, this one, and those of pools itself."""
    here = sys._getframe()
    for top in list(sys._current_frames().values()):
        stack = _stack(top)
        thread = next((_thread_of(frame) for frame in stack if _thread_of(frame) is not None), None)
        ours = [frame for frame in stack if _module(frame) != "threading"] or stack
        outermost = _module(ours[-1])
        if thread is None or here in stack or outermost.partition(".")[0] == "pools":
            continue
        code = ours[-1].f_code
        name = str(vars(thread).get("_name"))
        yield NativeThread(outermost, name, code.co_filename, code.co_firstlineno, id(thread))


def _stack(frame: FrameType | None) -> list[FrameType]:
    """Return a frame and those that called it, the outermost last."""
    stack = []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    return stack


def _thread_of(frame: FrameType) -> object | None:
    """Return the Thread object of a thread, from the frame in which threads begin."""
    if frame.f_code.co_name == "_bootstrap" and _module(frame) == "threading":
        return frame.f_locals.get("self")
    return None


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__"))
