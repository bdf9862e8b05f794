"""Hosts with an event loop that drives a pool: none of their own, asyncio's, and kombu's hub."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from kombu.asynchronous import Hub

from pools.loop import EventLoop
from pools_prefork.pool import PreforkPool

T = TypeVar("T")

#: Seconds that anything here may take.
PATIENCE = 20.0


class Host:
    """A host that has no loop: a pool drives itself."""

    loop: EventLoop | None = None

    def take(self, pool: PreforkPool) -> PreforkPool:
        """Drive this pool from now on; returns it."""
        return pool

    def call(self, fn: Callable[[], T]) -> T:
        """Call ``fn()`` where the host's own code runs; returns what it returns."""
        return fn()

    def close(self) -> None:
        """End the loop."""


class LoopHost(Host):
    """A host that runs its loop on a thread, as the other threads of a program see it."""

    loop: Any

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    def take(self, pool: PreforkPool) -> PreforkPool:
        self.call(lambda: pool.register_with_event_loop(self.loop))
        return pool

    def call(self, fn: Callable[[], T]) -> T:
        answers: list[T] = []
        errors: list[BaseException] = []
        done = threading.Event()

        def answer() -> None:
            try:
                answers.append(fn())
            except BaseException as error:
                errors.append(error)
            done.set()

        self._call_soon(answer)
        assert done.wait(PATIENCE), "the loop does not turn"
        if errors:
            raise errors[0]
        return answers[0]

    def close(self) -> None:
        self._stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        # A hub that has been closed makes itself another epoll as soon as it is told to forget a descriptor.
        del self.loop

    def _run(self) -> None:
        raise NotImplementedError

    def _stop(self) -> None:
        raise NotImplementedError

    def _call_soon(self, fn: Callable[[], object]) -> None:
        raise NotImplementedError


class AsyncioHost(LoopHost):
    """One that runs asyncio."""

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._ready.set()
        await self._ended.wait()

    def _stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ended.set)

    def _call_soon(self, fn: Callable[[], object]) -> None:
        self.loop.call_soon_threadsafe(fn)


class KombuHost(LoopHost):
    """One that runs kombu's hub, as a Celery worker does."""

    def _run(self) -> None:
        self.loop = Hub()
        self._calls: deque[Callable[[], object]] = deque()
        self._ended = False
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._watch()
        self._ready.set()
        while not self._ended:
            self.loop.run_once()
        self.loop.close()
        os.close(self._wake)

    def reset(self) -> None:
        """Have the hub forget everything, as a Celery worker does when it lost its broker. On the loop's thread."""
        self.loop.reset()
        self._watch()

    def _watch(self) -> None:
        self.loop.add_reader(self._wake, self._on_wake)

    def _on_wake(self) -> None:
        os.eventfd_read(self._wake)
        while self._calls:
            self._calls.popleft()()

    def _stop(self) -> None:
        self._call_soon(lambda: setattr(self, "_ended", True))

    def _call_soon(self, fn: Callable[[], object]) -> None:
        self._calls.append(fn)
        os.eventfd_write(self._wake, 1)


HOSTS: dict[str, type[Host]] = {"own": Host, "asyncio": AsyncioHost, "kombu": KombuHost}
