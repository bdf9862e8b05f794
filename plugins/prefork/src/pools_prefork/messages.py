"""What host and child say to each other.

Named tuples rather than dataclasses: one is made for each job on either side, and a frozen dataclass takes four times
as long to make.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

#: What a child says first, when it is ready for jobs: the number that billiard's children say it by.
WORKER_UP = 15


class ToChild(enum.IntEnum):
    """The kinds of message that the host sends."""

    #: A function by its name, which jobs then refer to by number.
    FUNCTION = 1
    #: A call.
    JOB = 2
    #: A region of the child's memory is the child's again: the value in it was read.
    FREE = 3
    #: Exit: nothing more will come.
    RETIRE = 4


class ToHost(enum.IntEnum):
    """The kinds of message that a child sends."""

    #: The job returned.
    VALUE = 1
    #: The job raised.
    ERROR = 2
    #: The job begins. Said of the last job that the child has; of others, the next message or the slate says it.
    ACCEPTED = 3
    #: The child has let go the revoked jobs, from this position on.
    SKIPPED = 4
    #: A region of the host's memory is the host's again: nothing refers to the arguments in it any more.
    FREE = 5
    #: The initializer raised; the child exits.
    NOT_UP = 6
    #: The child is up.
    UP = WORKER_UP


class Flag(enum.IntFlag):
    """What the body of a message is."""

    #: The arguments alone; without this flag the body of a job is a whole :class:`Call`.
    ARGS = 1
    #: A pickled :class:`Region` of the sender's memory, which holds what would be the body.
    IN_MEMORY = 2
    #: The host wants to be told at once when the job begins.
    TELL = 4
    #: The child has more memory than it should, and is to be replaced.
    OVER_MEMORY = 8


class Request(NamedTuple):
    """A message to the child.

    Attributes:
        kind: See :class:`ToChild`.
        flags: See :class:`Flag`.
        function: The number of the function, or 0 for a target in the body.
        number: The job's number; the offset of a region.
        body: Bytes.
    """

    kind: int
    flags: int
    function: int
    number: int
    body: bytes


class Call(NamedTuple):
    """The body of a job that has more than arguments.

    Attributes:
        target: What to call, or None if the request has the number of a function.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        correlation_id: What the host knows the job by.
        soft_timeout: Its soft limit in seconds.
        timeout: Its hard limit in seconds.
    """

    target: object
    args: tuple[object, ...]
    kwargs: dict[str, object]
    correlation_id: str | None
    soft_timeout: float | None
    timeout: float | None


class Reply(NamedTuple):
    """A message from the child.

    Attributes:
        kind: See :class:`ToHost`.
        flags: See :class:`Flag`.
        number: The job's number; a position; the offset of a region.
        began: When the job began, in seconds of ``time.monotonic()``, which is one clock for all processes.
        ended: When it ended.
        body: Bytes.
    """

    kind: int
    flags: int
    number: int
    began: float
    ended: float
    body: bytes


class Raised(NamedTuple):
    """The body of an ``ERROR``.

    Attributes:
        pickled: The exception, pickled, or None if it does not pickle.
        summary: The exception in one line.
        text: Its traceback as text.
    """

    pickled: bytes | None
    summary: str
    text: str
