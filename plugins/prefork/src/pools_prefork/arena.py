"""Large payloads in memory that host and child share: one copy in, and one out, or none.

The memory of a child is one file without a name (``memfd_create``), which goes when the last who has it open ends.
After the slate, the host's arena begins at :data:`HOST` and the child's at :data:`CHILD`; the file is sparse, so
that both may grow. Whoever owns an arena allocates in it; the other side only reads, and says when it has read. An
arena allocates by powers of two and uses regions again, so that their pages are there already, which a copy to fresh
memory takes ten times as long for want of.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

#: Where the arenas begin; the file is as large as both.
HOST = 1 << 30
CHILD = 1 << 40
LARGEST = 1 << 41

#: The smallest region, in bytes.
_SMALLEST = 1 << 17
#: Bytes of free regions that an arena keeps for the next payload.
_KEPT = 1 << 25
#: Regions that are read in place at the same time. Each has a mapping, and on Python before 3.13 a descriptor.
_MOST_VIEWS = 64


class Region(NamedTuple):
    """Where a payload lies.

    Attributes:
        offset: Of its first byte in the memory.
        sizes: Of its parts, in bytes: the pickle, then each buffer, one after another.
    """

    offset: int
    sizes: tuple[int, ...]


def new_memory() -> int:
    """Make the memory of a child; returns its descriptor.

    Raises:
        OSError: The system has no such memory, or no descriptor is left.
    """
    memory = os.memfd_create("pools-prefork", os.MFD_CLOEXEC)
    try:
        os.ftruncate(memory, LARGEST)
    except OSError:
        os.close(memory)
        raise
    return memory


def _capacity(size: int) -> int:
    return max(_SMALLEST, 1 << (size - 1).bit_length())


class Filling:
    """A payload on its way to its region.

    Args:
        mapping: The region.
        parts: What to write, one after another.
    """

    def __init__(self, mapping: mmap.mmap, parts: Sequence[bytes | memoryview]) -> None:
        self._mapping = mapping
        self._parts = deque(memoryview(part) for part in parts)
        self._at = 0

    def step(self, most: int) -> bool:
        """Copy ``most`` bytes, and more only of what might change if it were not copied at once.

        Returns:
            Whether all is there.
        """
        with memoryview(self._mapping) as region:
            while self._parts and most > 0:
                part = self._parts.popleft()
                if len(part) > most and part.readonly:
                    self._parts.appendleft(part[most:])
                    part = part[:most]
                end = self._at + len(part)
                region[self._at : end] = part
                self._at = end
                most -= len(part)
        return not self._parts


class Arena:
    """What its owner writes payloads to.

    Args:
        memory: The descriptor of the memory; stays the caller's.
        offset: Where the arena begins: :data:`HOST` or :data:`CHILD`.
        at_once: How many bytes of a payload are written at once; the rest is written by :meth:`fill`.
    """

    def __init__(self, memory: int, offset: int, at_once: int = LARGEST) -> None:
        self._memory = memory
        self._end = offset
        self._at_once = at_once
        self._fillings: dict[int, Filling] = {}
        self._taken: dict[int, mmap.mmap] = {}
        #: By capacity, those with their pages, and those whose pages were given back.
        self._warm: dict[int, list[tuple[int, mmap.mmap]]] = {}
        self._cold: dict[int, list[int]] = {}
        self._warm_bytes = 0

    def write(self, parts: Sequence[bytes | memoryview], sizes: tuple[int, ...]) -> Region:
        """Copy a payload, which comes in any number of parts, to a region of its own; see :meth:`is_full`.

        Args:
            parts: What to write, one after another.
            sizes: As :class:`Region` has them; their sum is that of the parts.
        """
        offset, mapping = self._take(_capacity(sum(sizes)))
        self._taken[offset] = mapping
        filling = Filling(mapping, parts)
        if not filling.step(self._at_once):
            self._fillings[offset] = filling
        return Region(offset, sizes)

    def is_full(self, offset: int) -> bool:
        """Whether the region at this offset has all of its payload, or is not to have it any more."""
        return offset not in self._fillings

    def fill(self, offset: int) -> None:
        """Copy more of the payload to the region at this offset."""
        if not self.is_full(offset) and self._fillings[offset].step(self._at_once):
            del self._fillings[offset]

    def free(self, offset: int) -> None:
        """Use the region at this offset again: its payload was read."""
        mapping = self._taken.pop(offset)
        self._fillings.pop(offset, None)
        capacity = len(mapping)
        if self._warm_bytes + capacity <= _KEPT:
            self._warm_bytes += capacity
            self._warm.setdefault(capacity, []).append((offset, mapping))
        else:
            # Gives the pages back, on either side.
            mapping.madvise(mmap.MADV_REMOVE)
            mapping.close()
            self._cold.setdefault(capacity, []).append(offset)

    def close(self) -> None:
        """Give every mapping back."""
        self._fillings.clear()
        for regions in self._warm.values():
            for _, mapping in regions:
                mapping.close()
        for mapping in self._taken.values():
            mapping.close()
        self._warm.clear()
        self._taken.clear()

    def _take(self, capacity: int) -> tuple[int, mmap.mmap]:
        warm = self._warm.get(capacity)
        if warm:
            self._warm_bytes -= capacity
            return warm.pop()
        cold = self._cold.get(capacity)
        if cold:
            offset = cold.pop()
        else:
            offset = self._end
            self._end += capacity
        return offset, mmap.mmap(self._memory, capacity, offset=offset)


class Reader:
    """What the other side reads payloads with.

    Args:
        memory: The descriptor of the memory; stays the caller's.
        free: Called as ``free(offset)`` when a payload was read, and nothing refers to its region any more.
    """

    def __init__(self, memory: int, free: Callable[[int], object]) -> None:
        self._memory = memory
        self._free = free
        self._views = 0
        self._mappings: dict[tuple[int, int], mmap.mmap] = {}

    def read(self, region: Region) -> tuple[memoryview, list[memoryview | bytearray], Callable[[], None]]:
        """Open a payload.

        Returns:
            The pickle, the buffers, which stay valid for as long as anything refers to them, and what to call when the
            pickle was loaded.
        """
        size = sum(region.sizes)
        capacity = _capacity(size)
        in_place = len(region.sizes) > 1 and self._views < _MOST_VIEWS
        if in_place:
            mapping = mmap.mmap(self._memory, capacity, offset=region.offset)
        else:
            key = (region.offset, capacity)
            cached = self._mappings.get(key)
            mapping = cached or mmap.mmap(self._memory, capacity, offset=region.offset)
            if capacity <= _KEPT:
                self._mappings[key] = mapping
        view = memoryview(mapping)
        parts = []
        at = 0
        for part in region.sizes:
            parts.append(view[at : at + part])
            at += part
        if in_place:
            self._views += 1
            weakref.finalize(mapping, self._end_view, region.offset).atexit = False
            return parts[0], list(parts[1:]), view.release
        buffers = [bytearray(part) for part in parts[1:]]

        def done() -> None:
            for part in (*parts, view):
                part.release()
            if capacity > _KEPT:
                mapping.close()
            self._free(region.offset)

        return parts[0], list(buffers), done

    def close(self) -> None:
        """Give back every mapping that nothing refers to."""
        for mapping in self._mappings.values():
            mapping.close()
        self._mappings.clear()

    def _end_view(self, offset: int) -> None:
        self._views -= 1
        self._free(offset)
