"""No pool at all: pickles that go to one child and back, over a pair of sockets."""

from __future__ import annotations

import os
import pickle
import socket

from benchmarks.contender import Contender, nothing


class PingPong(Contender):
    """What a job costs that is sent, called and answered, with nothing around it."""

    def __init__(self, pool: str, concurrency: int) -> None:
        self.socket, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            self.socket.close()
            serve(theirs)
        theirs.close()

    def lone(self) -> None:
        self.socket.send(pickle.dumps((nothing, ())))
        pickle.loads(self.socket.recv(1 << 16))

    def flood(self, jobs: int) -> int:
        raise NotImplementedError("it has one job at a time")

    def close(self) -> None:
        self.socket.close()
        os.waitpid(self.pid, 0)


def serve(requests: socket.socket) -> None:
    """The child: answers until the other end is closed."""
    while data := requests.recv(1 << 16):
        target, args = pickle.loads(data)
        requests.send(pickle.dumps(target(*args)))
    os._exit(0)
