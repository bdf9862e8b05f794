"""No pool at all: pickles that go to one child and back, over a pair of sockets."""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import socket
import time

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
        self.give()
        self.take()

    def give(self) -> None:
        """Send a job."""
        self.socket.send(pickle.dumps((nothing, ())))

    def take(self) -> None:
        """Receive its outcome, which is there, or is waited for."""
        pickle.loads(self.socket.recv(1 << 16))

    def flood(self, jobs: int) -> int:
        raise NotImplementedError("it has one job at a time")

    def close(self) -> None:
        self.socket.close()
        os.waitpid(self.pid, 0)


class OnHub(PingPong):
    """The same, where kombu's hub waits for the outcome."""

    def __init__(self, pool: str, concurrency: int) -> None:
        from kombu.asynchronous import Hub

        super().__init__(pool, concurrency)
        self.hub = Hub()
        self.hub.add_reader(self.socket.fileno(), self.take)
        self.ended = False

    def lone(self) -> None:
        self.ended = False
        self.give()
        run_once = self.hub.run_once
        while not self.ended:
            run_once()

    def take(self) -> None:
        super().take()
        self.ended = True

    def close(self) -> None:
        self.hub.close()
        super().close()


class OnAsyncio(PingPong):
    """The same, where a loop of asyncio does."""

    def lones(self, jobs: int) -> list[float]:
        times: list[float] = []

        def go_on() -> None:
            times.append(time.perf_counter())
            if len(times) <= jobs:
                self.give()
            else:
                loop.stop()

        def on_readable() -> None:
            self.take()
            go_on()

        loop = asyncio.new_event_loop()
        loop.add_reader(self.socket.fileno(), on_readable)
        loop.call_soon(go_on)
        loop.run_forever()
        loop.remove_reader(self.socket.fileno())
        loop.close()
        return [end - begin for begin, end in itertools.pairwise(times)]


def serve(requests: socket.socket) -> None:
    """The child: answers until the other end is closed."""
    while data := requests.recv(1 << 16):
        target, args = pickle.loads(data)
        requests.send(pickle.dumps(target(*args)))
    os._exit(0)
