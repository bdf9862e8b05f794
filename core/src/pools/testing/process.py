"""One process of the suite: started, given its tests, listened to, and killed when it has nothing more to say.

A broken pool may hang, end the process by ``os._exit``, or keep the interpreter from ending. Whatever it does, what the
process said of the tests before is known, and so is the test that ran.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

#: Seconds that the process has to say which tests there are.
COLLECT_SECONDS = 60.0

#: Seconds that it has to end when it has run them.
END_SECONDS = 15.0

#: Seconds in which it writes down where its threads stand.
STACKS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """What such a process is to do.

    Attributes:
        pool: The pool, as ``pools.open`` takes it.
        patched_as: The installed pool whose patches come first; None for none.
        options: What the pool is opened with.
        modules: How the names of the suite's modules begin that are to be run.
        expression: What selects tests among them, as pytest's ``-k`` takes it.
        quick: Whether tests are to do less of what they repeat.
        impatient: Whether to wait only a little for what must happen: something was waited for in vain before.
    """

    pool: str
    patched_as: str | None
    options: dict[str, Any]
    modules: tuple[str, ...]
    expression: str
    quick: bool
    impatient: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How such a process ended.

    Attributes:
        how: In words; empty if it ended by itself when it had run all tests.
        output: What it had written, its stacks among it.
        code: Its exit code, where it ended by itself.
    """

    how: str
    output: str
    code: int | None = None


class SuiteProcess:
    """A process that runs tests of the suite, one after another as they are given to it.

    Iterate over :meth:`messages` to its end, :meth:`give` it a test whenever it has none, and then ask how it
    :attr:`ended`.
    """

    def __init__(self, task: Task, seconds_for_a_test: float) -> None:
        self._task = task
        self._seconds = seconds_for_a_test
        #: Whether it has closed its end, and not been given up; and whether it had said before that it was done.
        self._has_finished = self._is_done = False
        #: Where the tests are written that it is given; None when there will be no more.
        self._tests: int | None = None
        self.ended = Ended("", "")

    def messages(self) -> Iterator[dict[str, Any]]:
        """Run it, and give what it tells (see :class:`pools.testing.reporter.Reporter`) as it comes.

        Who asks for no more has the process killed.
        """
        with tempfile.TemporaryDirectory(prefix="pools-") as folder, (Path(folder) / "output").open("w+b") as output:
            tests, self._tests = os.pipe()
            reader, writer = os.pipe()
            process = self._start(Path(folder), tests, writer, output)
            os.close(tests)
            os.close(writer)
            try:
                yield from self._listen(process, reader)
            finally:
                self.give(None)
                os.close(reader)
                how = self._end(process)
                output.seek(0)
                self.ended = Ended(how, output.read().decode(errors="replace"), process.returncode)

    def give(self, test: str | None) -> None:
        """Have it run a test, by pytest's id for it; None: there are no more, it is to end."""
        if self._tests is not None and test is not None:
            # Of a process that has ended meanwhile this is told by how it ended.
            with contextlib.suppress(BrokenPipeError):
                os.write(self._tests, f"{test}\n".encode())
        elif self._tests is not None:
            os.close(self._tests)
            self._tests = None

    def _start(self, folder: Path, tests: int, writer: int, output: Any) -> subprocess.Popen[bytes]:
        for name in ("tmp", "files"):
            (folder / name).mkdir()
        places = {
            "descriptor": writer,
            "tests": tests,
            "folder": str(folder / "files"),
            "temporary": str(folder / "tmp"),
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("POOLS_", "PYTEST_"))}
        return subprocess.Popen(
            [sys.executable, "-m", "pools.testing.child", json.dumps({**asdict(self._task), **places})],
            env={**ours, "TMPDIR": str(folder / "tmp"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[tests, writer],
            # What it leaves behind is found by its group, and a Ctrl-C is the parent's alone.
            start_new_session=True,
        )

    def _listen(self, process: subprocess.Popen[bytes], reader: int) -> Iterator[dict[str, Any]]:
        buffer, give_up_at = b"", monotonic() + COLLECT_SECONDS
        while select.select([reader], [], [], max(0.0, give_up_at - monotonic()))[0]:
            data = os.read(reader, 65536)
            if not data:
                self._has_finished = True
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for message in map(json.loads, lines):
                self._is_done = self._is_done or message["event"] == "done"
                give_up_at = monotonic() + (END_SECONDS if self._is_done else self._seconds)
                yield message
        seconds = END_SECONDS if self._is_done else self._seconds
        self.ended = Ended(f"it was killed after {seconds:.0f} s without a sign of life", "")
        self._ask_for_stacks(process)

    def _ask_for_stacks(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGUSR2)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STACKS_SECONDS)

    def _end(self, process: subprocess.Popen[bytes]) -> str:
        """End whatever is left of it; returns how it ended by itself, if that was not as it should."""
        how = self.ended.how
        if self._has_finished:
            try:
                how = self._unexpected(process.wait(END_SECONDS))
            except subprocess.TimeoutExpired:
                how = f"it did not end within {END_SECONDS:.0f} s of its last test"
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return how

    def _unexpected(self, code: int) -> str:
        """What is said of an exit code, unless it is pytest's own: all passed, some failed, none were selected."""
        if code < 0:
            return f"it was killed by {signal.Signals(-code).name}"
        return "" if self._is_done and code in (0, 1, 5) else f"it ended with exit code {code}"
