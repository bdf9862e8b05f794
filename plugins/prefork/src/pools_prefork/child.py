"""The whole life of a child: up, read, run, reply, exit. Imports nothing of the host's side."""

from __future__ import annotations

import faulthandler
import os
import pickle
import resource
import signal
import threading
import traceback
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from pkgutil import resolve_name
from time import monotonic
from typing import Any, NoReturn

from pools import hooks
from pools.call import enter, enter_wrapped, own_traceback
from pools.errors import SoftTimeLimitExceeded, StopJob
from pools.limits import soft_error
from pools_prefork import payload
from pools_prefork.arena import CHILD, Arena, Reader
from pools_prefork.job_here import JobHere, PoolHere
from pools_prefork.memory import resident
from pools_prefork.messages import Call, Flag, Raised, Request, ToChild, ToHost
from pools_prefork.protocol import REQUEST, Decoder, encode_reply
from pools_prefork.slate import STACK, Slate

#: What the host sends a child whose job has passed its soft limit, and one that is to write down its stack.
SOFT_SIGNAL = signal.SIGUSR1
STACK_SIGNAL = signal.SIGUSR2

#: Bytes read at once. For more, the allocator would ask the system for fresh memory at each read, and give it back,
#: which takes longer than all else that a lone job costs the child.
_READ = 1 << 16

_JOB, _VALUE, _ERROR = ToChild.JOB.value, ToHost.VALUE.value, ToHost.ERROR.value
_ARGS, _TELL, _IN_MEMORY = Flag.ARGS.value, Flag.TELL.value, Flag.IN_MEMORY.value


@dataclass(frozen=True)
class ChildOptions:
    """What a child is told when it starts.

    Attributes:
        pool: The pool's name.
        options: The pool's options, for hooks.
        initializer: Called as ``initializer(*initargs)`` before the first job.
        initargs: Its arguments.
        max_memory: Above how many KiB the child says that it is to be replaced.
        hooked: Whether a plugin has anything to do in a child.
        extensions: Which extensions have, by module and label.
    """

    pool: str
    options: object
    initializer: Callable[..., object] | None
    initargs: tuple[Any, ...]
    max_memory: int | None
    hooked: bool
    extensions: tuple[tuple[str, str], ...]


def main(number: int, jobs: int, replies: int, memory: int, options: ChildOptions) -> None:
    """Live as child ``number``.

    Args:
        number: Its number in the pool.
        jobs: The descriptor from which it reads requests; at its end the child exits.
        replies: The descriptor to which it writes replies.
        memory: The descriptor of the memory that it shares with the host.
        options: What to do besides.
    """
    pool = PoolHere(options.pool, options.options, number)
    child = Child(pool, jobs, replies, memory, options)
    if not child.come_up():
        raise SystemExit(1)
    child.run()
    if options.hooked:
        hooks.manager.hook.pools_child_exiting(pool=pool)


class Child:
    """Reads requests, runs jobs one after another and replies to each before it begins the next.

    So whatever kills a child costs the one job that it runs: what it did before, the host has, and what it has not
    begun, the host can see on the slate.
    """

    def __init__(self, pool: PoolHere, jobs: int, replies: int, memory: int, options: ChildOptions) -> None:
        self._pool = pool
        self._jobs = jobs
        self._replies = replies
        self._options = options
        self._slate = Slate(memory)
        self._arena = Arena(memory, CHILD)
        #: ``FREE`` messages that go with the next reply.
        self._freed: list[bytes] = []
        self._reader = Reader(memory, self._on_free)
        self._functions: dict[int, bytes | Callable[..., Any]] = {}
        self._position = 0
        self._skip_to = 0
        self._job: JobHere | None = None
        self._reading = False
        self._ending = False
        self._is_copy = False
        self._enter = enter
        os.lseek(memory, STACK, os.SEEK_SET)
        faulthandler.register(STACK_SIGNAL, file=memory, all_threads=False)
        signal.signal(SOFT_SIGNAL, self._on_soft_limit)
        signal.signal(signal.SIGTERM, self._on_terminate)
        self._masks = threading.local()
        os.register_at_fork(
            before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._after_fork_in_copy
        )

    def come_up(self) -> bool:
        """Call the initializer and say that the child is up; returns whether it is."""
        options = self._options
        try:
            if options.hooked:
                self._use_hooks()
            if options.initializer is not None:
                options.initializer(*options.initargs)
        except BaseException as error:
            self._write(encode_reply(ToHost.NOT_UP.value, body=_pickle_error(error)))
            return False
        self._write(encode_reply(ToHost.UP.value))
        return True

    def run(self) -> None:
        """Read and run until the host has no more for this child, or ends it."""
        decoder = Decoder(REQUEST, Request)
        while not self._ending and (data := self._read()):
            requests = decoder.feed(data)
            last = len(requests) - 1
            for index, request in enumerate(requests):
                if request.kind == _JOB:
                    self._run(request, index == last)
                elif request.kind == ToChild.FUNCTION:
                    self._functions[request.number] = request.body
                elif request.kind == ToChild.FREE:
                    self._arena.free(request.number)
                else:
                    self._ending = True
                if self._ending:
                    break

    def _use_hooks(self) -> None:
        # A child that was forked has them from the host; one that was spawned has nothing yet.
        for module, label in self._options.extensions:
            hooks.register(resolve_name(module), label)
        hooks.manager.hook.pools_child_started(pool=self._pool)
        if hooks.wraps_jobs():
            self._enter = enter_wrapped

    def _read(self) -> bytes:
        self._reading = True
        try:
            return os.read(self._jobs, _READ) if not self._ending else b""
        except StopJob:
            return b""
        finally:
            self._reading = False

    def _run(self, request: Request, last: bool) -> None:
        self._position = position = self._position + 1
        if position < self._skip_to:
            return
        began = monotonic()
        if not self._slate.claim(position, began):
            self._skip_to = self._slate.revoked_to()
            self._write(encode_reply(ToHost.SKIPPED.value, number=position))
            return
        if last and request.flags & _TELL:
            self._write(encode_reply(ToHost.ACCEPTED.value, 0, request.number, began))
        try:
            reply = self._outcome(request, position, began)
        except (StopJob, SoftTimeLimitExceeded) as late:
            # The signal came just before the call, or just after it had returned.
            self._job = None
            reply = _ERROR, 0, _pickle_error(late)
        kind, flags, body = reply
        if self._options.max_memory is not None and _memory_is_over(self._options.max_memory):
            flags |= Flag.OVER_MEMORY.value
        message = encode_reply(kind, flags, request.number, began, monotonic(), body)
        if self._freed:
            message = b"".join(self._freed) + message
            self._freed.clear()
        self._write(message)

    def _outcome(self, request: Request, position: int, began: float) -> tuple[int, int, bytes]:
        """Make the call; returns kind, flags and body of the reply."""
        try:
            job = self._job_of(request, position, began)
            try:
                self._job = job
                # Either may have been asked for while the arguments were unpickled.
                if job.soft_timeout is not None:
                    self._on_soft_limit()
                if self._ending:
                    self._stop()
                value = Context().run(self._enter, job)  # type: ignore[arg-type]  # as good as a Job here
            finally:
                self._job = None
            if self._is_copy:
                raise SystemExit
            if value is None:
                return _VALUE, 0, b""
            del job
            return (_VALUE, *payload.dump(value, self._arena))
        except BaseException as error:
            if self._is_copy:
                raise
            return _ERROR, 0, _pickle_error(own_traceback(error))

    def _job_of(self, request: Request, position: int, began: float) -> JobHere:
        flags, function, body = request.flags, request.function, request.body
        if flags & _ARGS:
            args = payload.load(flags, body, self._reader) if body else ()
            return JobHere(self._pool, request.number, position, began, self._function(function), args, {}, self._slate)
        call = Call(*payload.load(flags, body, self._reader))
        target: Any = self._function(function) if function else call.target
        job = JobHere(self._pool, request.number, position, began, target, call.args, call.kwargs, self._slate)
        job.correlation_id = call.correlation_id
        job.set_limits(call.soft_timeout, call.timeout)
        return job

    def _function(self, number: int) -> Callable[..., Any]:
        function = self._functions[number]
        if isinstance(function, bytes):
            # Not when it came: if it does not import, that is the outcome of each job that wants it.
            function = self._functions[number] = pickle.loads(function)
        return function

    def _on_free(self, offset: int) -> None:
        self._freed.append(encode_reply(ToHost.FREE.value, number=offset))

    def _write(self, message: bytes) -> None:
        written = os.write(self._replies, message)
        while written < len(message):
            written += os.write(self._replies, memoryview(message)[written:])

    # -- Signals -------------------------------------------------------------------------------------------------------

    def _on_soft_limit(self, *_: object) -> None:
        job = self._job
        if job is None or not self._slate.soft_limit_passed(job.position):
            return  # it was meant for a job that is over
        if job.shielded:
            job.soft_pending = True
        else:
            job.soft_raised = True
            raise soft_error(job)  # type: ignore[arg-type]  # as good as a Job here

    def _on_terminate(self, *_: object) -> None:
        self._ending = True
        if self._job is not None or self._reading:
            self._stop()

    def _stop(self) -> NoReturn:
        raise StopJob(f"child {os.getpid()} of pool {self._pool.name} was told to end")

    # -- Processes that jobs fork --------------------------------------------------------------------------------------

    def _before_fork(self) -> None:
        # What comes before the copy has done with our handlers would be lost.
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, {SOFT_SIGNAL, signal.SIGTERM})

    def _after_fork(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _after_fork_in_copy(self) -> None:
        """Be no child of the pool in a copy: signals end it, and so does the return of the job."""
        self._is_copy = True
        for number, handler in ((SOFT_SIGNAL, self._on_soft_limit), (signal.SIGTERM, self._on_terminate)):
            if signal.getsignal(number) == handler:
                signal.signal(number, signal.SIG_DFL)
        faulthandler.unregister(STACK_SIGNAL)
        self._after_fork()


def _pickle_error(error: BaseException) -> bytes:
    """The body of an ``ERROR``: see :class:`Raised`."""
    text = "".join(traceback.format_exception(error))
    summary = traceback.format_exception_only(error)[-1].strip()
    try:
        pickled: bytes | None = pickle.dumps(error, 5)
    except BaseException:
        pickled = None
    return pickle.dumps(tuple(Raised(pickled, summary, text)), 5)


def _memory_is_over(limit: int) -> bool:
    """Whether this process has more than ``limit`` KiB of memory now."""
    # The peak is had for one cheap call; only if that was too high is it asked what there is now.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > limit and resident("self") > limit
