"""The host's side of the nursery: have it started, have children born, signal them, hear of their deaths."""

from __future__ import annotations

import errno
import os
import pickle
import select
import signal
import socket
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from pools_prefork import descriptors
from pools_prefork.child_process import ChildProcess, close_pidfd
from pools_prefork.descriptors import ChildDescriptors
from pools_prefork.nursery import BORN, DIED, MESSAGE, Upbringing, ending, open_pidfd
from pools_prefork.reports import Born, Died, NurseryDied
from pools_prefork.start import start_nursery

#: Seconds that a nursery has to end by itself when the pool stops, and that its children have to be gone.
PATIENCE = 1.0


class Nursery:
    """Has the children of one pool started by a process of their own, which has one thread and so can always fork.

    All methods are to be called on one thread at a time. None but :meth:`start` and :meth:`stop` blocks.

    Args:
        name: The pool's name.
        start_method: ``"fork"``: the nursery is forked from this process, the children from the nursery.
            ``"forkserver"``: the nursery is a fresh interpreter. ``"spawn"``: each child is one too. None: ``"fork"``
            if that is safe when the nursery is started, as this process has no other thread than loops of ours, and
            else ``"forkserver"``.
        child_main: Called in each child, as ``child_main(number, jobs_r, replies_w, memory, options)``.
        options: Its last argument. Under ``"fork"`` it may be anything; otherwise it is pickled.
    """

    def __init__(
        self, name: str, start_method: str | None, child_main: Callable[[int, int, int, int, Any], object], options: Any
    ) -> None:
        self._upbringing = Upbringing(name, child_main, options)
        self._asked_method = start_method
        #: The start method that is in use, once the nursery was started.
        self.start_method = start_method or ""
        #: Whether a child was ever born.
        self.has_borne = False
        #: The process id of the nursery; 0 if there is none.
        self.pid = 0
        self._control: socket.socket | None = None
        self._pidfd = -1
        self._children: dict[int, ChildProcess] = {}
        #: The numbers of the children whose nursery died before them, by pidfd.
        self._orphans: dict[int, int] = {}
        #: What was asked for and is not born: descriptors, or None once they are handed over.
        self._awaited: dict[int, ChildDescriptors | None] = {}
        self._unsent: deque[int] = deque()
        self._epoll = select.epoll()
        self._lifeline_r, lifeline_w = os.pipe()
        self._lifeline_w = [lifeline_w]
        descriptors.keep_from_forks(lifeline_w)
        _open.add(self)

    def start(self) -> None:
        """Start the nursery, or another one after the death of the last.

        Raises:
            UsageError: What the children are to be given cannot be pickled, and has to be.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        try:
            self.start_method, self.pid = start_nursery(self._asked_method, self._upbringing, theirs, self._lifeline_r)
        except BaseException:
            self._control = None
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._epoll.register(ours, select.EPOLLIN)
        # That the socket's other end is closed is not enough: another thread's fork may have kept a copy.
        self._pidfd = open_pidfd(self.pid)
        if self._pidfd >= 0:
            self._epoll.register(self._pidfd, select.EPOLLIN)
        self._send()

    def fileno(self) -> int:
        """A descriptor, the same from first to last, that can be read when there are reports."""
        return self._epoll.fileno()

    def bear(self, number: int, own: ChildDescriptors) -> None:
        """Ask for a child; :meth:`reports` tells when it is born, or that it could not be.

        Args:
            number: Its number, which no other child of this pool has had.
            own: What it is born with; handed over, so to be neither used nor closed by the caller any more.
        """
        self._awaited[number] = own
        self._unsent.append(number)
        self._send()

    def reports(self) -> list[Born | Died | NurseryDied]:
        """What has happened since the last call, in order; empty if nothing has."""
        found: list[Born | Died | NurseryDied] = []
        ready = {descriptor for descriptor, _ in self._epoll.poll(0)}
        if self._control is not None:
            self._send()
            failure = self._receive(found)
            if failure is not None or self._pidfd in ready:
                self._bury(found, failure or "")
        found += [self._bury_orphan(pidfd) for pidfd in ready & self._orphans.keys()]
        return found

    def stop(self) -> None:
        """End the nursery, and whatever children are left, by SIGKILL; returns when they are gone.

        In a process that was forked from the host it does nothing.
        """
        if self not in _open:
            return
        _open.discard(self)
        self._give_up_awaited()
        if self._control is not None:
            self._control.close()
            _wait(self._pidfd)
        # Whatever still lives, the kernel kills now; but a child that was stopped before it was tied to the host.
        descriptors.close(self._lifeline_w)
        if self._control is not None:
            _reap(self.pid)
            close_pidfd(self._pidfd)
        for child in self._children.values():
            child.send(signal.SIGKILL)
            _wait(child.pidfd)
            if child.pidfd in self._orphans:
                _reap(child.pid, os.WNOHANG)
            child.close()
        self.pid, self._control = 0, None
        self._children.clear()
        self._epoll.close()
        os.close(self._lifeline_r)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        """Send what the socket has room for. The rest goes with the next reports: there are some, if it is full."""
        while self._unsent and self._control is not None:
            number = self._unsent[0]
            own = self._awaited[number]
            assert own is not None
            try:
                descriptors.send(self._control, pickle.dumps(number), own)
            except (BlockingIOError, ConnectionError):
                return
            except OSError as error:
                if error.errno != errno.ETOOMANYREFS:
                    raise
                return
            self._unsent.popleft()
            self._awaited[number] = None
            descriptors.close(own)

    def _receive(self, found: list[Born | Died | NurseryDied]) -> str | None:
        """Receive all reports there are; returns None if more may come, and else why the nursery ended, if it said."""
        assert self._control is not None
        reason = ""
        while True:
            try:
                message, handed = descriptors.receive(self._control, MESSAGE)
            except BlockingIOError:
                return reason or None
            except ConnectionResetError:  # it has not read all that was sent; what it said is still to be had
                continue
            if not message:
                return reason
            kind, *fields = pickle.loads(message)
            if kind == BORN:
                number, pid = fields
                del self._awaited[number]
                self.has_borne = True
                child = self._children[number] = ChildProcess(number, pid, handed[0] if handed else -1)
                found.append(Born(number, child))
            elif kind == DIED:
                found.append(self._forget(Died(*fields)))
            else:
                reason = fields[0]

    def _forget(self, report: Died) -> Died:
        self._awaited.pop(report.number, None)
        if child := self._children.pop(report.number, None):
            self._orphans.pop(child.pidfd, None)
            child.close()
        return report

    def _bury(self, found: list[Born | Died | NurseryDied], reason: str) -> None:
        """Take the nursery's death in: its children are orphans, and those that it did not bear never come."""
        assert self._control is not None
        self._epoll.unregister(self._control)
        self._control.close()
        self._control = None
        code, _ = _reap(self.pid)
        if self._pidfd >= 0:
            self._epoll.unregister(self._pidfd)
            close_pidfd(self._pidfd)
        self.pid, self._pidfd = 0, -1
        found.append(NurseryDied(*ending(code), reason) if code is not None else NurseryDied(reason=reason))
        found += [Died(number, reason="the nursery died before") for number in self._awaited]
        self._give_up_awaited()
        for number, child in self._children.items():
            if child.pidfd >= 0 and child.pidfd not in self._orphans:
                self._orphans[child.pidfd] = number
                self._epoll.register(child.pidfd, select.EPOLLIN)

    def _bury_orphan(self, pidfd: int) -> Died:
        number = self._orphans[pidfd]
        self._epoll.unregister(pidfd)
        # It is known what it died of only where this process is the one that orphans are given to.
        code, peak = _reap(self._children[number].pid, os.WNOHANG)
        return self._forget(Died(number, *ending(code), peak) if code is not None else Died(number))

    def _give_up_awaited(self) -> None:
        for own in self._awaited.values():
            descriptors.close(own or ())
        self._awaited.clear()
        self._unsent.clear()

    def _leave_to_the_parent(self) -> None:
        """Be nothing in a process that was forked from the host."""
        if self._control is not None:
            self._control.close()
        self._epoll.close()
        for child in self._children.values():
            child.close()
        close_pidfd(self._pidfd)
        if self.pid:  # else this may be the nursery that is being started
            os.close(self._lifeline_r)


#: The nurseries of this process that were made and not stopped.
_open: weakref.WeakSet[Nursery] = weakref.WeakSet()


def _leave_to_the_parent() -> None:
    for nursery in list(_open):
        nursery._leave_to_the_parent()
    _open.clear()


os.register_at_fork(after_in_child=_leave_to_the_parent)


def _wait(pidfd: int) -> None:
    """Wait until the process is dead, but not for long."""
    if pidfd >= 0:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(PATIENCE * 1000)


def _reap(pid: int, flags: int = 0) -> tuple[int | None, int]:
    """The exit code of a child of this process, negative for a signal, and its peak memory in KiB; waits for its end.

    The code is None if it is not known: it is no child of this process, or was reaped by somebody else.
    """
    try:
        reaped, status, usage = os.wait4(pid, flags)
    except ChildProcessError:
        return None, 0
    return (os.waitstatus_to_exitcode(status), usage.ru_maxrss) if reaped else (None, 0)
