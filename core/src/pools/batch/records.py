"""The record of a call: one line of JSON, by which a later run also knows what is done."""

from __future__ import annotations

import hashlib
import json
import traceback
from typing import Any, NamedTuple

from pools.batch.call import Call
from pools.batch.lines import Line
from pools.errors import TimeLimitExceeded
from pools.states import JobState

#: How every record begins.
START = b'{"line": '


class Entry(NamedTuple):
    """What a later run needs of a record.

    Attributes:
        number: The number of the line.
        digest: The digest of the line.
        succeeded: Whether its call succeeded.
    """

    number: int
    digest: int
    succeeded: bool


def digest(line: Line) -> int:
    """Return what stands for the number and the text of ``line``: 64 bits."""
    return int.from_bytes(hashlib.blake2b(b"%d %b" % (line.number, line.data), digest_size=8).digest(), "big")


def encode(call: Call) -> bytes:
    """Return the record of a settled call, with the newline that completes it."""
    record = {
        "line": call.line.number,
        "digest": f"{digest(call.line):016x}",
        "input": call.arguments.value,
        "outcome": call.outcome.value,
        **(_result(call.value) if call.error is None else _error(call.error)),
        "started": round(call.started, 3),
        "seconds": round(call.seconds, 6),
        "attempt": call.attempt,
    }
    return json.dumps(record).encode("ascii") + b"\n"


def decode(data: bytes) -> Entry:
    """Read a record.

    Raises:
        ValueError: It is none.
    """
    try:
        record = json.loads(data)
        entry = Entry(record["line"], int(record["digest"], 16), JobState(record["outcome"]) is JobState.SUCCEEDED)
    except (KeyError, TypeError) as error:
        raise ValueError("a record lacks something") from error
    if not isinstance(entry.number, int) or entry.number < 1:
        raise ValueError(f"there is no line {entry.number!r}")
    return entry


def _result(value: Any) -> dict[str, Any]:
    try:
        # JSON has no NaN and no infinity, and readers other than Python's refuse them.
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return {"result": _repr(value), "result_is_repr": True}
    return {"result": value}


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"


def _error(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, TimeLimitExceeded):
        # Its text ends with the stack where the job stood, which is its traceback.
        message, trace = str(error.args[0]), error.stack
    else:
        # This class copes with an exception whose own text cannot be made.
        formatted = traceback.TracebackException.from_exception(error)
        message, trace = str(formatted), "".join(formatted.format())
    return {"error": {"type": name, "message": message}, "traceback": trace}
