"""Objects as payloads: pickled into the message, or, if they are large, into memory that both sides share."""

from __future__ import annotations

import pickle
from typing import Any

from pools_prefork.arena import Arena, Reader, Region
from pools_prefork.messages import Flag

#: From how many bytes on a payload goes to shared memory: below, a pipe is as fast.
LARGE = 1 << 15

#: Objects of these types pickle to little whatever they are, those of the others if they are short.
_SCALARS = frozenset({int, float, bool, type(None), complex})
_TEXTS = frozenset({str, bytes})

#: Up to how many items are looked at to see whether a tuple is small.
_FEW = 8

_dumps = pickle.dumps


def dump(value: Any, arena: Arena) -> tuple[int, bytes]:
    """Pickle an object.

    Buffers that pickle can keep apart (those of NumPy arrays, say) are copied once, to shared memory; so are large
    ``bytes``.

    Returns:
        The flags and the body of the message.

    Raises:
        Exception: It does not pickle; whatever pickle raised.
    """
    if _is_small(value):
        # A pickler that writes to our own file takes twice as long.
        return 0, _dumps(value, 5)
    pieces: list[Any] = []
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        view = buffer.raw()
        if view.nbytes < LARGE:
            return True
        buffers.append(view)
        return False

    # Large bytes come to `write` as they are, and so are copied once, to where they belong.
    pickle.Pickler(_Pieces(pieces), 5, buffer_callback=keep).dump(value)
    size = len(pieces[0]) if len(pieces) == 1 else sum(map(len, pieces))
    if size < LARGE and not buffers:
        return 0, pieces[0] if len(pieces) == 1 else b"".join(pieces)
    region = arena.write([*pieces, *buffers], (size, *(view.nbytes for view in buffers)))
    return Flag.IN_MEMORY.value, _dumps(tuple(region), 5)


def load(flags: int, body: bytes, reader: Reader) -> Any:
    """Make the object of a payload again.

    Raises:
        Exception: It does not unpickle; whatever pickle, or the object, raised.
    """
    if not flags & Flag.IN_MEMORY.value:
        return pickle.loads(body)
    data, buffers, done = reader.read(Region(*pickle.loads(body)))
    try:
        return pickle.loads(data, buffers=buffers)
    finally:
        data.release()
        done()


def region_of(body: bytes) -> int:
    """The offset of the region in which a payload lies that is in shared memory."""
    return Region(*pickle.loads(body)).offset


def _is_small(value: Any) -> bool:
    # No deeper: tuples that share their items may have more of them, counted again and again, than there is time for.
    if type(value) is tuple:
        return len(value) <= _FEW and all(map(_is_plain, value))
    return _is_plain(value)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    return kind in _SCALARS or (kind in _TEXTS and len(value) < LARGE // _FEW)


class _Pieces:
    """The file that a pickler writes to: it keeps the pieces, and copies none of them."""

    __slots__ = ("write",)

    def __init__(self, pieces: list[Any]) -> None:
        self.write = pieces.append
