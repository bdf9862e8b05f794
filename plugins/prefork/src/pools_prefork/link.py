"""The host's end of one child: what is written to it and read from it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import types
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from pools import signals
from pools.job import Job
from pools_prefork import descriptors, payload
from pools_prefork.arena import HOST, Arena, Reader, new_memory
from pools_prefork.descriptors import ChildDescriptors
from pools_prefork.messages import Call, Flag, Reply, ToChild
from pools_prefork.protocol import REPLY, Decoder, encode_request
from pools_prefork.slate import Slate

#: Bytes that a pipe holds.
PIPE_SIZE = 1 << 18
#: Bytes that are read at once. For more, a read would take memory from the system, and give it back.
READ_SIZE = 1 << 16

#: Bytes of a large payload that are copied at once, so that the loop's thread is soon free again.
AT_ONCE = 1 << 22

#: What is pickled by its name alone, so that a child needs it only once.
_NAMED = frozenset({types.FunctionType, types.BuiltinFunctionType, type})
#: How many functions a child is told of before they are sent with each job.
_MOST_FUNCTIONS = 1 << 12

_JOB = ToChild.JOB.value
_ARGS, _TELL, _IN_MEMORY = Flag.ARGS.value, Flag.TELL.value, Flag.IN_MEMORY.value


class Link:
    """The host's end of one child.

    Attributes:
        jobs: The descriptor to which requests are written.
        replies: The descriptor from which replies are read.
        slate: The page that is shared with the child.
        has_more: Whether the last :meth:`read` may have left something.
        bytes_out: How many bytes were written.
        bytes_in: How many bytes were read.
    """

    def __init__(self) -> None:
        with contextlib.ExitStack() as made:
            jobs, self.jobs = _pipe(made)
            self.replies, replies = _pipe(made)
            self.memory = new_memory()
            made.callback(os.close, self.memory)
            memory = os.dup(self.memory)
            made.callback(os.close, memory)
            self.slate = Slate(self.memory)
            made.pop_all()
        #: What the child is to be born with.
        self.child_ends = ChildDescriptors(jobs, replies, memory)
        descriptors.keep_from_forks(self.jobs, self.replies)
        os.set_blocking(self.jobs, False)
        os.set_blocking(self.replies, False)
        self.has_more = False
        self.bytes_out = self.bytes_in = 0
        self._arena = Arena(self.memory, HOST, AT_ONCE)
        #: Regions of the child's arena that were read, by any thread.
        self._freed: deque[int] = deque()
        self._reader = Reader(self.memory, self._freed.append)
        self._decoder = Decoder(REPLY, Reply)
        self._functions: dict[Any, int] = {}
        #: What was not written yet.
        self._pending = bytearray()
        #: Which messages wait for their payload: by how many bytes are written before each, and its region.
        self._unfilled: deque[tuple[int, int]] = deque()
        #: By job, the region of its arguments, for as long as it may have to be given back unread.
        self._regions: dict[Job, int] = {}
        _open.add(self)

    def close(self) -> None:
        """Give everything back; what the host still refers to of values stays."""
        _open.discard(self)
        descriptors.close((self.jobs, self.replies))
        self.close_memory()

    def close_memory(self) -> None:
        """Give back what is shared with the child."""
        self._arena.close()
        self._reader.close()
        self.slate.close()
        os.close(self.memory)

    # -- Out -----------------------------------------------------------------------------------------------------------

    @property
    def is_blocked(self) -> bool:
        """Whether something waits until the child has read more."""
        return bool(self._pending)

    def add(self, job: Job) -> None:
        """Put a job among what is to be written.

        Raises:
            Exception: Its target or arguments do not pickle; nothing was added.
        """
        while self._freed:
            # The child needs them no earlier than it has another value.
            self._pending += encode_request(ToChild.FREE.value, number=self._freed.popleft())
        function = self._number_of(job.target)
        flags = _TELL if wants_acceptance(job) else 0
        if function and not job.kwargs and not job.limited and job.correlation_id is None:
            flags |= _ARGS
            if job.args:
                more, body = payload.dump(job.args, self._arena)
                flags |= more
            else:
                body = b""
        else:
            call = Call(
                None if function else job.target,
                job.args,
                dict(job.kwargs),
                job.correlation_id,
                job.soft_timeout,
                job.timeout,
            )
            more, body = payload.dump(tuple(call), self._arena)
            flags |= more
        if flags & _IN_MEMORY:
            self._regions[job] = region = payload.region_of(body)
            if not self._arena.is_full(region):
                self._unfilled.append((self.bytes_out + len(self._pending), region))
        self._pending += encode_request(_JOB, flags, function, job.id, body)

    def add_retirement(self) -> None:
        """Put among what is to be written that the child is to exit."""
        self._pending += encode_request(ToChild.RETIRE.value)

    def flush(self) -> None:
        """Write as much as the child takes now, and is quickly done."""
        ready = self._ready() if self._unfilled else len(self._pending)
        if ready:
            try:
                with memoryview(self._pending)[:ready] as data:
                    written = os.write(self.jobs, data)
            except BlockingIOError:
                return
            except BrokenPipeError:  # the child is gone; the nursery will say so
                self._pending.clear()
                self._unfilled.clear()
                return
            self.bytes_out += written
            del self._pending[:written]

    def _ready(self) -> int:
        """Copy more of the payload that is missing first; returns how many bytes may be written."""
        at, region = self._unfilled[0]
        self._arena.fill(region)
        while self._arena.is_full(region):
            self._unfilled.popleft()
            if not self._unfilled:
                return len(self._pending)
            at, region = self._unfilled[0]
        return at - self.bytes_out

    def take_back(self, job: Job) -> None:
        """The child will not read this job's arguments."""
        region = self._regions.pop(job, None)
        if region is not None:
            self._arena.free(region)

    def _number_of(self, target: Callable[..., Any]) -> int:
        """The number by which the child knows the target; 0 if it has none."""
        if type(target) not in _NAMED:
            return 0
        number = self._functions.get(target)
        if number is None:
            if isinstance(target, types.BuiltinFunctionType) and not isinstance(target.__self__, types.ModuleType):
                return 0  # the method of an object, which goes with it as it is now
            if len(self._functions) >= _MOST_FUNCTIONS:
                return 0
            name = pickle.dumps(target, 5)
            self._functions[target] = number = len(self._functions) + 1
            self._pending += encode_request(ToChild.FUNCTION.value, number=number, body=name)
        return number

    # -- In ------------------------------------------------------------------------------------------------------------

    def read(self) -> list[Reply] | None:
        """What the child has written since; None if it can write nothing more."""
        try:
            data = os.read(self.replies, READ_SIZE)
        except BlockingIOError:
            self.has_more = False
            return []
        self.has_more = len(data) == READ_SIZE
        if not data:
            return None
        self.bytes_in += len(data)
        return self._decoder.feed(data)

    def free(self, offset: int) -> None:
        """The child has read the arguments in the region at this offset."""
        self._arena.free(offset)

    def forget_arguments(self, job: Job) -> None:
        """The job has ended; of its arguments the child itself says when it has read them."""
        if self._regions:
            self._regions.pop(job, None)

    def load(self, reply: Reply) -> Any:
        """The object that a reply has for a body.

        Raises:
            Exception: It does not unpickle.
        """
        return payload.load(reply.flags, reply.body, self._reader)


def wants_acceptance(job: Job) -> bool:
    """Whether somebody wants to hear at once that the job begins."""
    return job.accept_callback is not None or bool(signals.accepted.receivers)


def _pipe(made: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        made.callback(os.close, end)
    # A user may have used up what pipes beyond the default size may take of the system's memory.
    with contextlib.suppress(OSError):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    return ends


#: The links of this process that are open.
_open: weakref.WeakSet[Link] = weakref.WeakSet()


def _leave_to_the_parent() -> None:
    """A process that is forked from the host has no part in this, and would keep the memory of children that go."""
    for link in list(_open):
        with contextlib.suppress(BufferError):  # it was copied in the middle of writing or reading
            link.close_memory()
    _open.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)
