"""One line of the input as a call, on its way through the pool."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from pools.batch.lines import Line
from pools.job import Job
from pools.pool import BasePool
from pools.states import JobState


class Arguments:
    """What a line says to call the function with.

    Attributes:
        value: What the line stands for: its text, or the JSON value in it.
        args: The positional arguments: the value, or with JSON the items of a list.
        kwargs: The keyword arguments: with JSON, the members of an object.
    """

    __slots__ = ("args", "kwargs", "value")

    def __init__(self, value: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> None:
        self.value = value
        self.args = args
        self.kwargs = kwargs or {}


def text_arguments(data: bytes) -> Arguments:
    """Read a line as one string; bytes that are not UTF-8 become surrogates, as in the arguments of a program."""
    text = data.decode("utf-8", "surrogateescape")
    return Arguments(text, (text,))


def json_arguments(data: bytes) -> Arguments:
    """Read a line as JSON: a list of arguments, an object of keyword arguments, or else one argument.

    Raises:
        ValueError: It is not JSON.
    """
    value = json.loads(data)
    if isinstance(value, list):
        return Arguments(value, tuple(value))
    if isinstance(value, dict):
        return Arguments(value, (), value)
    return Arguments(value, (value,))


class Call:
    """One attempt at one line.

    Attributes:
        line: The line.
        arguments: What it says.
        attempt: The number of the attempt, from 1; 0 for a line that could not be read.
        job: The pool's job, once it is submitted.
        value: What the function returned, if it did.
        error: The outcome if the job did not succeed, else None.
        started: When it began, in seconds since the epoch; when it was settled if it never began.
        seconds: How long it took.
    """

    __slots__ = (
        "_accepted_at",
        "_settled",
        "arguments",
        "attempt",
        "error",
        "job",
        "line",
        "seconds",
        "started",
        "value",
    )

    def __init__(self, line: Line, arguments: Arguments, attempt: int = 1, error: BaseException | None = None) -> None:
        self.line = line
        self.arguments = arguments
        self.attempt = attempt
        self.job: Job | None = None
        self.value: Any = None
        self.error = error
        self.started = time.time()
        self.seconds = 0.0

    @classmethod
    def read(cls, line: Line, read: Callable[[bytes], Arguments]) -> Call:
        """Make the first call of ``line``; one that ``read`` does not understand has its error already."""
        try:
            return cls(line, read(line.data))
        except ValueError as error:
            return cls(line, text_arguments(line.data), 0, error)

    def again(self) -> Call:
        """Return the next attempt."""
        return Call(self.line, self.arguments, self.attempt + 1)

    @property
    def outcome(self) -> JobState:
        """How it ended."""
        return JobState.FAILED if self.job is None else self.job.state

    def submit(self, pool: BasePool, target: Callable[..., Any], settled: Callable[[Call], object]) -> None:
        """Give it to ``pool``; ``settled(call)`` is called once, where and when the job gets its outcome."""
        self._settled = settled
        self.job = pool.apply_async(
            target,
            self.arguments.args,
            self.arguments.kwargs,
            callback=self._on_value,
            error_callback=self._on_error,
            accept_callback=self._on_accept,
        )

    def _on_accept(self, slot_id: int, accepted_at: float) -> None:
        self.started = time.time()
        self._accepted_at = accepted_at

    def _on_value(self, value: Any) -> None:
        self.value = value
        self._end()

    def _on_error(self, error: BaseException) -> None:
        self.error = error
        self._end()

    def _end(self) -> None:
        # A job that was never accepted (it was cancelled, its pool ended) took no time.
        if hasattr(self, "_accepted_at"):
            self.seconds = time.monotonic() - self._accepted_at
        self._settled(self)
