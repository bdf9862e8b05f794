"""Messages as bytes, and bytes as messages: no descriptor, no clock, no ``os``.

A message is a header of fixed size, which begins with the size of the body, and the body. Both sides are of one
version and on one machine, so numbers are as they lie in memory.
"""

from __future__ import annotations

import struct
from typing import Any, Generic, TypeVar

from pools_prefork.messages import Reply, Request

#: Size of the body, kind, flags, function, number.
REQUEST = struct.Struct("=IBBHQ")
#: Size of the body, kind, flags, number, began, ended.
REPLY = struct.Struct("=IBBQdd")

Message = TypeVar("Message", Request, Reply)


def encode_request(kind: int, flags: int = 0, function: int = 0, number: int = 0, body: bytes = b"") -> bytes:
    """A message to the child; see :class:`pools_prefork.messages.Request`."""
    return REQUEST.pack(len(body), kind, flags, function, number) + body


def encode_reply(
    kind: int, flags: int = 0, number: int = 0, began: float = 0.0, ended: float = 0.0, body: bytes = b""
) -> bytes:
    """A message from the child; see :class:`pools_prefork.messages.Reply`."""
    return REPLY.pack(len(body), kind, flags, number, began, ended) + body


class Decoder(Generic[Message]):
    """Turns a stream of bytes, in whatever pieces it comes, into the messages that it was made of.

    Args:
        header: The layout of the header.
        message: What a message is made into.
    """

    __slots__ = ("_have", "_header", "_message", "_need", "_pieces")

    def __init__(self, header: struct.Struct, message: type[Message]) -> None:
        self._header = header
        self._message: type[Message] = message
        #: What has come of a message that is not complete, and how many bytes are known to be needed.
        self._pieces: list[bytes] = []
        self._have = 0
        self._need = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take the next piece of the stream; returns the messages that are complete now."""
        if self._pieces:
            self._pieces.append(data)
            self._have += len(data)
            if self._have < self._need:
                return []
            data = b"".join(self._pieces)
            self._pieces.clear()
        messages = []
        size, unpack, message = self._header.size, self._header.unpack_from, self._message
        new = tuple.__new__  # what a named tuple is made by, without the function between
        at, total = 0, len(data)
        needed = size
        while total - at >= size:
            fields: tuple[Any, ...] = unpack(data, at)
            length = fields[0]
            body_at = at + size
            if total - body_at < length:
                needed = size + length
                break
            at = body_at + length
            messages.append(new(message, (*fields[1:], data[body_at:at])))
        if at < total:
            rest = data[at:] if at else data
            self._pieces.append(rest)
            self._have = len(rest)
            self._need = needed
        return messages
