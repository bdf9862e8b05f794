"""The nursery: the process that starts the children of a pool and sees them die.

It has one thread for ever, so a fork of it is always safe: no lock can be held by somebody who is not copied.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billiard import get_context, popen_fork

from pools_prefork import descriptors
from pools_prefork.descriptors import ChildDescriptors
from pools_prefork.launch import Launch, preparation
from pools_prefork.settle import leave_after, settle

#: The longest message on the control socket, in bytes: what a nursery says of why it could not begin.
MESSAGE = 1 << 16

#: The message that a child was born: this, its number and its process id; with its pidfd, where there are such.
BORN = "born"
#: The message that a child died: this and the fields of ``reports.Died``.
DIED = "died"
#: The message that the nursery cannot begin: this and why.
FAILED = "failed"


@dataclass(frozen=True)
class Upbringing:
    """How children come into being.

    Attributes:
        pool: The pool's name.
        child_main: Called in each child, as ``child_main(number, jobs_r, replies_w, memory, options)``.
        options: Its last argument.
    """

    pool: str
    child_main: Callable[[int, int, int, int, Any], object]
    options: object


@dataclass(frozen=True)
class SpawnedUpbringing:
    """The same where each child is an interpreter of its own.

    Attributes:
        pool: The pool's name.
        pickled: An :class:`Upbringing`, pickled, which the nursery itself never looks into.
        main: Which main module a child is to import.
    """

    pool: str
    pickled: bytes
    main: dict[str, Any]


def forked(control: socket.socket, lifeline: int, upbringing: Upbringing) -> None:
    """Be the nursery, in a process that was forked from the host."""
    leave_after(_live, control, lifeline, upbringing)


def fresh(control: int, lifeline: int, pickled: bytes) -> None:
    """Be the nursery, in an interpreter of its own; ``pickled`` is either kind of upbringing."""
    gc.collect()
    leave_after(_unpickle_and_live, socket.socket(fileno=control), lifeline, pickled)


def _unpickle_and_live(control: socket.socket, lifeline: int, pickled: bytes) -> None:
    control.set_inheritable(False)
    try:
        upbringing = pickle.loads(pickled)
    except BaseException:
        descriptors.send(control, pickle.dumps((FAILED, traceback.format_exc()[-MESSAGE // 2 :])))
        raise SystemExit(1) from None
    _live(control, lifeline, upbringing)


def _live(control: socket.socket, lifeline: int, upbringing: Upbringing | SpawnedUpbringing) -> None:
    lifeline = settle(lifeline)
    # Whoever ends all processes of a group or a service with SIGTERM means that they end in their order.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # What is there now is never looked at by a child's collector, and so not copied for it.
    gc.freeze()
    Tending(control, lifeline, upbringing).run()


class Tending:
    """What a nursery does all its life: starts the children that it is asked for, and reports those that die."""

    def __init__(self, control: socket.socket, lifeline: int, upbringing: Upbringing | SpawnedUpbringing) -> None:
        self._control = control
        self._lifeline = lifeline
        self._upbringing = upbringing
        #: The numbers of the children that live, by process id.
        self._numbers: dict[int, int] = {}
        self._wake_r, self._wake_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def run(self) -> None:
        """Go on until the host closes its end of the control socket; then kill what children there are."""
        signal.set_wakeup_fd(self._wake_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake_r, select.POLLIN)
        try:
            while True:
                ready = {descriptor for descriptor, _ in poll.poll()}
                if self._wake_r in ready:
                    os.read(self._wake_r, MESSAGE)
                    self._report_dead(os.WNOHANG)
                if self._control.fileno() in ready and not self._serve():
                    break
        except ConnectionError:  # it was closed before all was read
            pass
        for pid in self._numbers:
            os.kill(pid, signal.SIGKILL)
        self._control.close()
        while self._numbers:
            del self._numbers[os.wait()[0]]

    def _serve(self) -> bool:
        """Start the one child that is asked for; returns whether the host is there still."""
        message, handed = descriptors.receive(self._control, MESSAGE)
        if not message:
            return False
        number = pickle.loads(message)
        own = ChildDescriptors(*handed)
        try:
            pid = self._start(number, own)
        except OSError as error:
            self._say(DIED, number, None, None, 0, f"no process could be started: {error}")
            return True
        finally:
            descriptors.close(own)
        self._numbers[pid] = number
        pidfd = open_pidfd(pid)
        handing = (pidfd,) if pidfd >= 0 else ()
        self._say(BORN, number, pid, handing=handing)
        descriptors.close(handing)
        return True

    def _start(self, number: int, own: ChildDescriptors) -> int:
        """Start a child; returns its process id.

        What starts it is billiard's, but not ``Process.start``: that looks after all children at each start and would
        take their exit statuses away from :meth:`_report_dead`.
        """
        upbringing = self._upbringing
        name = f"{upbringing.pool}-{number}"
        if isinstance(upbringing, Upbringing):
            process = get_context("fork").Process(target=self._be_child, args=(number, own), name=name, daemon=False)
            popen = popen_fork.Popen(process)
            popen.close()
        else:
            args = (number, own, self._lifeline, upbringing.pickled)
            process = get_context("spawn").Process(target=_be_spawned_child, args=args, name=name, daemon=False)
            popen = Launch(process, {**preparation(name), **upbringing.main}, (*own, self._lifeline))
        pid: int = popen.pid
        return pid

    def _be_child(self, number: int, own: ChildDescriptors) -> None:
        upbringing = self._upbringing
        assert isinstance(upbringing, Upbringing)
        self._control.close()
        descriptors.close((self._wake_r, self._wake_w))
        settle(self._lifeline)
        leave_after(upbringing.child_main, number, *own, upbringing.options)

    def _report_dead(self, flags: int) -> None:
        while self._numbers:
            pid, status, usage = os.wait4(-1, flags)
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            if (number := self._numbers.pop(pid, None)) is not None:
                self._say(DIED, number, *ending(code), usage.ru_maxrss, "")

    def _say(self, *message: object, handing: tuple[int, ...] = ()) -> None:
        descriptors.send(self._control, pickle.dumps(message), handing)


def _be_spawned_child(number: int, own: ChildDescriptors, lifeline: int, pickled: bytes) -> None:
    for descriptor in own:
        os.set_inheritable(descriptor, False)
    settle(lifeline)
    leave_after(_unpickle_and_be_child, number, own, pickled)


def _unpickle_and_be_child(number: int, own: ChildDescriptors, pickled: bytes) -> None:
    upbringing: Upbringing = pickle.loads(pickled)
    upbringing.child_main(number, *own, upbringing.options)


def ending(code: int) -> tuple[int | None, int | None]:
    """Exit code and signal, one of which is None, of what ``os.waitstatus_to_exitcode`` gives."""
    return (code, None) if code >= 0 else (None, -code)


def open_pidfd(pid: int) -> int:
    """A descriptor that means this process; -1 where there are none: the kernel is older than 5.3, or forbids it."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1
