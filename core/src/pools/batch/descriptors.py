"""Files and pipes that do not hold up a green pool.

``select.select`` is the one way of waiting that every patch makes cooperative and that takes real descriptors. What is
ready then is read and written through ``io.FileIO``, which no patch touches: a patched ``os.write`` may wait in a hub,
which a callback or a signal handler must not, and refuses what the hub cannot wait for.
"""

from __future__ import annotations

import io
import os
import select
import stat
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


def may_block(file: io.FileIO) -> bool:
    """Whether a read or a write may have to wait for another program, so that ``select`` has to be asked before it.

    That is so for pipes, sockets and terminals. Files are always ready, and a green hub cannot even be asked about one.
    """
    mode = os.fstat(file.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or file.isatty()


class Mailbox(Generic[Item]):
    """Hands items over to the one thread or greenlet that waits, from anywhere: threads, greenlets, signal handlers.

    It has no lock, since there is no kind of lock that all of these could share. And its descriptors stay open as long
    as the process lives, since someone may still ring when nobody waits any more.
    """

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        bell, rope = os.pipe()
        os.set_blocking(bell, False)
        os.set_blocking(rope, False)
        self._bell = io.FileIO(bell, "r", closefd=False)
        self._rope = io.FileIO(rope, "w", closefd=False)
        self._rung = False

    def put(self, item: Item) -> None:
        """Leave an item and wake who waits."""
        self._items.append(item)
        self.ring()

    def ring(self) -> None:
        """Wake who waits, or will wait next."""
        if not self._rung:
            self._rung = True
            self._rope.write(b".")

    def get(self) -> Item | None:
        """Return the oldest item, or None."""
        # Only one takes items out, so what is there stays there.
        return self._items.popleft() if self._items else None

    def wait(self, timeout: float | None, *others: io.FileIO) -> None:
        """Wait for an item or a ring, until one of the ``others`` is readable, or for ``timeout`` seconds."""
        if self._bell in select.select([self._bell, *others], [], [], timeout)[0]:
            self._bell.read(4096)
            # An item put before this line was left before it too, and is found; one put after it rings again.
            self._rung = False
