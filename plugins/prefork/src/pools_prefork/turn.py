"""The lock under which it is decided what the children do, and the word that is left with whoever holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Turn:
    """A lock. Who wants something done under it, and does not wait for it, leaves word with whoever has it.

    Args:
        on_word: Does what is wanted; called by who had the lock, without it, if word was left meanwhile.

    Attributes:
        word: Whether word was left. First that, then ``acquire(blocking=False)``: so either this succeeds, or the word
            is found by who has the lock and looks when it is released.
        acquire: That of the lock.
        release: That of the lock; it does not look for word.
    """

    def __init__(self, on_word: Callable[[], object]) -> None:
        lock = threading.Lock()
        self.acquire, self.release = lock.acquire, lock.release
        self.word = False
        self._on_word = on_word

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
        if self.word:
            self._on_word()
