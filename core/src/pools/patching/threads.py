"""Native threads that run the program's code, where the patch makes threads greenlets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass(frozen=True, slots=True)
class NativeThread:
    """A thread that was started before the patch.

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


def native_threads(is_green: Callable[[str], bool]) -> Iterator[NativeThread]:
    """Yield each, except for the main thread and this one.

    Args:
        is_green: Which modules are of the patch's library, whose threads are native on purpose.
    """
    here = sys._getframe()
    for top in list(sys._current_frames().values()):
        stack = _stack(top)
        thread = next((_thread_of(frame) for frame in stack if _thread_of(frame) is not None), None)
        if thread is None or here in stack:
            continue
        if any(is_green(_module(frame)) or _module(frame).partition(".")[0] == "pools" for frame in stack):
            continue
        ours = [frame for frame in stack if _module(frame) != "threading"] or stack
        code = ours[-1].f_code
        name = str(vars(thread).get("_name"))
        yield NativeThread(_module(ours[-1]), name, code.co_filename, code.co_firstlineno, id(thread))


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
