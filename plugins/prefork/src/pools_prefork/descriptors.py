"""Descriptors: which are the host's alone, and how they are handed from one process to another."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterable
from typing import NamedTuple

#: How many descriptors go with one message at the most: those of a child.
_MOST = 3

#: The descriptors of this process that no process forked from it is to keep.
_host_only: set[int] = set()


class ChildDescriptors(NamedTuple):
    """What a child is born with.

    Attributes:
        jobs_r: Where it reads requests.
        replies_w: Where it writes replies.
        memory: The memory that it shares with the host.
    """

    jobs_r: int
    replies_w: int
    memory: int


def keep_from_forks(*descriptors: int) -> None:
    """Have these closed in every process that is forked from this one, whoever forks it.

    So the end of this process is seen at the other ends. A descriptor that was named here is to be closed with
    :func:`close`. What replaces itself by another program (``exec``) has none of them anyway, as they are not
    inheritable; a fork by a library in C goes unnoticed.
    """
    _host_only.update(descriptors)


def close(descriptors: Iterable[int]) -> None:
    """Close these, and forget that they were kept from forks."""
    for descriptor in descriptors:
        _host_only.discard(descriptor)
        os.close(descriptor)


def _close_in_child() -> None:
    for descriptor in _host_only:
        os.close(descriptor)
    _host_only.clear()


os.register_at_fork(after_in_child=_close_in_child)


def send(control: socket.socket, message: bytes, descriptors: Iterable[int] = ()) -> None:
    """Send one message with copies of the descriptors.

    Raises:
        BlockingIOError: The socket does not block, and has no room now.
        OSError: Nobody is there to read it.
    """
    rights = array.array("i", descriptors)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if rights else []
    control.sendmsg([message], ancillary, socket.MSG_NOSIGNAL)


def receive(control: socket.socket, size: int) -> tuple[bytes, list[int]]:
    """Receive one message of ``size`` bytes at most, and its descriptors; the message is empty at the end.

    Raises:
        BlockingIOError: The socket does not block, and there is none now.
        OSError: The other side is gone, and there was a message that it did not read.
    """
    room = socket.CMSG_SPACE(array.array("i").itemsize * _MOST)
    message, ancillary, _, _ = control.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
    rights = array.array("i")
    for _, _, data in ancillary:
        rights.frombytes(data)
    return message, rights.tolist()
