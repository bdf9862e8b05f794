"""The ways in which code waits under eventlet, each with what ends the waiting."""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from pools_eventlet.library import eventlet, patcher

native_sleep = patcher.original("time").sleep

#: What waits, and what ends that (which must be harmless when nobody waits any more).
Wait = tuple[Callable[[], object], Callable[[], object]]


def _nothing() -> None:
    """What ends a wait that ends by itself."""


def _sleep() -> Wait:
    return lambda: eventlet.sleep(0.05), _nothing


def _semaphore() -> Wait:
    semaphore = eventlet.Semaphore(0)
    return semaphore.acquire, semaphore.release


def _semaphore_for_a_time() -> Wait:
    semaphore = eventlet.Semaphore(0)
    return lambda: semaphore.acquire(timeout=0.05), semaphore.release


def _event() -> Wait:
    event = eventlet.Event()
    return event.wait, event.send


def _event_for_a_time() -> Wait:
    event = eventlet.Event()
    return lambda: event.wait(timeout=0.05), event.send


def _queue_get() -> Wait:
    items = eventlet.Queue()
    return items.get, lambda: items.put(1)


def _queue_put() -> Wait:
    items = eventlet.Queue(1)
    items.put(0)
    return lambda: items.put(1), items.get


def _green_thread() -> Wait:
    release = eventlet.Event()
    thread = eventlet.spawn(release.wait)
    return thread.wait, release.send


def _kill() -> Wait:
    def stubborn() -> None:
        with contextlib.suppress(eventlet.greenlet.GreenletExit):
            eventlet.sleep(3600.0)
        eventlet.sleep(0.05)

    thread = eventlet.spawn(stubborn)
    eventlet.sleep(0)
    return lambda: (thread.kill(), thread.wait()), _nothing


def _socket() -> Wait:
    return _receive(None)


def _socket_for_a_time() -> Wait:
    return _receive(0.05)


def _receive(timeout: float | None) -> Wait:
    ours, theirs = socket.socketpair()
    ours.settimeout(timeout)

    def receive() -> None:
        with ours, theirs, contextlib.suppress(TimeoutError):
            ours.recv(1)

    def send() -> None:
        with contextlib.suppress(OSError):
            theirs.send(b"x")

    return receive, send


def _lock() -> Wait:
    lock = threading.Lock()
    lock.acquire()

    def release() -> None:
        if lock.locked():
            lock.release()

    return lock.acquire, release


def _condition() -> Wait:
    event = threading.Event()
    return lambda: event.wait(0.05), event.set


def _standard_queue() -> Wait:
    items: queue.Queue[int] = queue.Queue()
    return lambda: items.get(timeout=5.0), lambda: items.put(1)


def _thread() -> Wait:
    event = threading.Event()
    thread = threading.Thread(target=event.wait)
    thread.start()
    return thread.join, event.set


def _native_thread() -> Wait:
    from eventlet import tpool

    return lambda: tpool.execute(native_sleep, 0.05), _nothing


def _process() -> Wait:
    return lambda: subprocess.run(["sleep", "0.05"], check=True), _nothing


#: By name, what sets up each of them.
WAITS: dict[str, Callable[[], Wait]] = {
    wait.__name__.strip("_"): wait
    for wait in (
        *(_sleep, _semaphore, _semaphore_for_a_time, _event, _event_for_a_time, _queue_get, _queue_put),
        *(_green_thread, _kill, _socket, _socket_for_a_time, _lock, _condition, _standard_queue, _thread),
        *(_native_thread, _process),
    )
}


def wait_and_be_woken(name: str) -> Any:
    """Wait in this way, and be woken by another greenlet."""
    wait, wake = WAITS[name]()
    eventlet.spawn_after(0.01, wake)
    return wait()
