"""Starting a fresh interpreter with one of billiard's processes in it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from billiard import context, popen_fork, reduction, spawn
from billiard.compat import spawnv_passfds

from pools.errors import UsageError


def preparation(name: str) -> dict[str, Any]:
    """What a fresh interpreter needs to become like this one: its path, arguments, directory and main module.

    Raises:
        UsageError: This process is such an interpreter itself, and is importing the main module.
    """
    try:
        data: dict[str, Any] = spawn.get_preparation_data(name)
    except RuntimeError:
        raise UsageError(
            f"the processes of pool {name} are fresh interpreters here, which import the main module, and that opens "
            'the pool again: put what the program does under `if __name__ == "__main__":`'
        ) from None
    # A program that is read from standard input says that its file is <stdin>.
    if not Path(data.get("init_main_from_path", "/")).exists():
        del data["init_main_from_path"]
    return data


def main_module(data: dict[str, Any]) -> dict[str, Any]:
    """What of that says which main module to import; nothing if this process has none that can be imported."""
    return {key: value for key, value in data.items() if key.startswith("init_main_")}


class Launch(popen_fork.Popen):  # type: ignore[misc]  # billiard has no types
    """Starts a process of billiard's in a fresh interpreter.

    Unlike billiard's own way it starts no semaphore tracker beside it, which would stay for as long as the host does.

    Args:
        process: A process of billiard's ``spawn`` context that was not started.
        data: What :func:`preparation` gave.
        descriptors: What the process shall have open under the same numbers.
    """

    method = "spawn"

    def __init__(self, process: Any, data: dict[str, Any], descriptors: Iterable[int]) -> None:
        self._data = data
        self._descriptors = list(descriptors)
        super().__init__(process)

    def duplicate_for_child(self, descriptor: int) -> int:
        """Have one more descriptor open in the process: what billiard's locks and connections ask for."""
        self._descriptors.append(descriptor)
        return descriptor

    def _launch(self, process: Any) -> None:
        stream = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(self._data, stream)
            reduction.dump(process, stream)
        finally:
            context.set_spawning_popen(None)
        theirs, ours = os.pipe()
        try:
            command = spawn.get_command_line(pipe_handle=theirs)
            self.pid = spawnv_passfds(spawn.get_executable(), command, [theirs, *self._descriptors])
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        try:
            with os.fdopen(ours, "wb") as pipe:
                pipe.write(stream.getbuffer())
        except BrokenPipeError:  # it has died already, as its parent will see
            pass
