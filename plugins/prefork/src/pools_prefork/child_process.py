"""The process of a child, as the host reaches it."""

from __future__ import annotations

import os
import signal


class ChildProcess:
    """The process of a child.

    Attributes:
        number: The child's number in the pool.
        pid: The process id.
        pidfd: A descriptor that means this process and no other that gets its id; -1 where there are none.
    """

    def __init__(self, number: int, pid: int, pidfd: int) -> None:
        self.number = number
        self.pid = pid
        self.pidfd = pidfd
        self._is_dead = False

    def send(self, number: int) -> bool:
        """Send the process a signal; returns False if it is dead."""
        if self._is_dead:
            return False
        try:
            if self.pidfd < 0:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self.pidfd, number)
        except ProcessLookupError:
            return False
        return True

    def close(self) -> None:
        """Note that the process is dead: its descriptor, or its id, may soon be another's."""
        self._is_dead = True
        close_pidfd(self.pidfd)


def close_pidfd(pidfd: int) -> None:
    """Close the descriptor of a process, where there is one."""
    if pidfd >= 0:
        os.close(pidfd)
