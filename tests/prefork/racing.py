"""A child of a kind: it claims positions on a slate as fast as it can, in a process and on a processor of its own."""

from __future__ import annotations

import mmap
import os
import sys
from time import monotonic

from pools_prefork.slate import SIZE, STACK, Slate

#: Positions that one race is about.
MOST = 1 << 20
#: How much memory the two share: the slate, what each tells the other, and what became of each position.
MEMORY = STACK + SIZE + MOST
RAN, LET_GO = 1, 2
#: Words: up to which position the host has sent, and the child has dealt with what it was sent; the host is done.
SENT, DEALT, OVER = 0, 1, 2


class Board:
    """What the two tell each other beside the slate."""

    def __init__(self, memory: int) -> None:
        self._mapping = mmap.mmap(memory, MEMORY)
        self.words = memoryview(self._mapping)[STACK : STACK + SIZE].cast("Q")
        self.outcomes = memoryview(self._mapping)[STACK + SIZE :]

    def close(self) -> None:
        self.words.release()
        self.outcomes.release()
        self._mapping.close()


def claim_all(slate: Slate, board: Board) -> None:
    """Deal with one position after another, as a child does with its jobs."""
    words, outcomes = board.words, board.outcomes
    position = skip_to = 0
    while True:
        position += 1
        while words[SENT] < position:
            if words[OVER]:
                return
        if position >= skip_to:
            if slate.claim(position, monotonic()):
                outcomes[position] += RAN
            else:
                skip_to = slate.revoked_to()
        if position < skip_to:
            outcomes[position] += LET_GO
        words[DEALT] = position


def main() -> None:
    memory, processor = map(int, sys.argv[1:])
    os.sched_setaffinity(0, {processor})
    claim_all(Slate(memory), Board(memory))


if __name__ == "__main__":
    main()
