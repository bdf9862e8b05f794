"""The slate: a page of memory that the host and one child share.

By it the child says which job it begins, and when, without a message for each; and the host takes back jobs that the
child was sent and has not begun, without the child's help, which may be stuck in a job.

Jobs are counted as they are sent to the child: their position, from 1. To begin one the child writes its position
down as claimed, and then looks whether it was revoked; to take jobs back the host writes down which are revoked, and
then looks what is claimed. Whichever comes second sees the other, provided that neither processor lets its look
overtake its writing: that is what :meth:`Slate._fence` is for. A position that is claimed and revoked is the child's
to decide: it writes it down as begun, or lets it go, and says so in a ``SKIPPED`` message.
"""

from __future__ import annotations

import mmap
import threading

#: Bytes of the slate, at the beginning of the memory that host and child share.
SIZE = mmap.PAGESIZE
#: Where in that memory the stack of a job is written that is about to be killed, as text.
STACK = SIZE

#: A revocation that ends nowhere: nothing is revoked from here on.
_NEVER = 2**63

# The words of the page. The time of a beginning stands in the third or fourth one by turns, so that it is not
# overwritten while it is being read; the lowest bit of the second one says in which.
_CLAIMED, _BEGUN, _TIMES, _REVOKED_FROM, _REVOKED_TO, _SOFT, _CANCEL = 0, 1, 2, 4, 5, 6, 7


class Slate:
    """The page, as either side has mapped it.

    Args:
        memory: The descriptor of the memory that host and child share.
    """

    def __init__(self, memory: int) -> None:
        self._page = mmap.mmap(memory, SIZE)
        self._words = memoryview(self._page).cast("Q")
        self._times = memoryview(self._page).cast("d")
        self._lock = threading.Lock()
        self._lock.acquire()
        self._turn = 0

    def close(self) -> None:
        """Give the mapping back."""
        self._words.release()
        self._times.release()
        self._page.close()

    # -- The child -----------------------------------------------------------------------------------------------------

    def claim(self, position: int, now: float) -> bool:
        """Begin the job at a position, at ``now``; returns False if it was revoked."""
        words = self._words
        words[_CLAIMED] = position
        self._fence()
        # The end first, which the host moves while nothing is revoked: so that no old beginning meets a new end.
        if position < words[_REVOKED_TO] and position >= words[_REVOKED_FROM]:
            return False
        self._turn = turn = 1 - self._turn
        self._times[_TIMES + turn] = now
        words[_BEGUN] = position << 1 | turn
        return True

    def revoked_to(self) -> int:
        """The first position after those that were revoked."""
        return self._words[_REVOKED_TO]

    def soft_limit_passed(self, position: int) -> bool:
        """Whether the host says that the soft limit of the job at this position has passed."""
        return self._words[_SOFT] == position

    def cancel_requested(self, position: int) -> bool:
        """Whether the host says that somebody asked for the end of the job at this position."""
        return self._words[_CANCEL] == position

    # -- The host ------------------------------------------------------------------------------------------------------

    def claimed(self) -> int:
        """The position that the child claimed last, whose job it begins or lets go; 0 if it has claimed none."""
        return self._words[_CLAIMED]

    def begun(self) -> tuple[int, float]:
        """The position of the job that the child began last, and when; 0 if it has begun none."""
        while True:
            word = self._words[_BEGUN]
            began = self._times[_TIMES + (word & 1)]
            if self._words[_BEGUN] == word:
                return word >> 1, began

    def revoke(self, first: int, end: int) -> int:
        """Take back the jobs from position ``first`` up to but not including ``end``.

        Nothing more may be sent to the child until it has said what became of it, or has gone beyond ``first``.

        Returns:
            The position that the child claimed last: those after it are taken back for certain.
        """
        words = self._words
        if words[_REVOKED_TO] != end:
            # The child is beyond what was revoked before; otherwise that stays revoked all the time.
            words[_REVOKED_FROM] = _NEVER
            words[_REVOKED_TO] = end
        words[_REVOKED_FROM] = first
        self._fence()
        return words[_CLAIMED]

    def set_soft_limit_passed(self, position: int) -> None:
        """Say that the soft limit of the job at this position has passed."""
        self._words[_SOFT] = position

    def set_cancel_requested(self, position: int) -> None:
        """Say that somebody asked for the end of the job at this position."""
        self._words[_CANCEL] = position

    def _fence(self) -> None:
        """Let no access to memory after this overtake one before it.

        Releasing a lock and acquiring it again are two atomic operations on one word, which no processor moves its
        other accesses across in the one direction, nor in the other.
        """
        self._lock.release()
        self._lock.acquire()
