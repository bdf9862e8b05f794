"""The event loop on a thread: its five methods, calls from other threads, its end, and forks beside it."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from pools.loop import EventLoop
from pools.parking import parked
from pools.testing.leftovers import holdings, leftovers
from pools.thread_loop import ThreadLoop
from pools.timer import ThreadTimer

#: Seconds after which a test gives up waiting.
PATIENCE = 20.0

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def loop() -> Iterator[ThreadLoop]:
    loop = ThreadLoop()
    loop.start()
    yield loop
    loop.stop()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def on(loop: ThreadLoop, function: Any, *args: Any) -> Any:
    """Call a function on the loop's thread, and return what it returned."""
    answers: Queue[Any] = Queue()
    loop.call_soon_threadsafe(lambda: answers.put(function(*args)))
    return answers.get(timeout=PATIENCE)


def test_it_is_an_event_loop(loop: ThreadLoop) -> None:
    protocol: EventLoop = loop
    assert protocol is loop


# -- Descriptors -------------------------------------------------------------------------------------------------------


def test_a_reader_is_called_for_as_long_as_there_is_something_to_read(loop: ThreadLoop, pipe: tuple[int, int]) -> None:
    seen: Queue[tuple[str, bytes, bool]] = Queue()

    def read(word: str) -> None:
        seen.put((word, os.read(pipe[0], 1), loop.in_loop()))

    on(loop, loop.add_reader, pipe[0], read, "read")
    os.write(pipe[1], b"ab")
    assert [seen.get(timeout=PATIENCE) for _ in "ab"] == [("read", b"a", True), ("read", b"b", True)]


def test_a_reader_that_is_removed_is_not_called(loop: ThreadLoop, pipe: tuple[int, int]) -> None:
    calls: list[int] = []

    def read() -> None:
        calls.append(1)
        assert loop.remove_reader(pipe[0])

    os.write(pipe[1], b"a")
    on(loop, loop.add_reader, pipe[0], read)
    for _ in range(3):
        on(loop, int)
    assert calls == [1]
    assert not on(loop, loop.remove_reader, pipe[0])


def test_a_reader_takes_the_place_of_the_one_before(loop: ThreadLoop, pipe: tuple[int, int]) -> None:
    seen: Queue[str] = Queue()

    def read(word: str) -> None:
        os.read(pipe[0], 1)
        seen.put(word)

    on(loop, loop.add_reader, pipe[0], read, "first")
    on(loop, loop.add_reader, pipe[0], read, "second")
    os.write(pipe[1], b"a")
    assert seen.get(timeout=PATIENCE) == "second"


def test_the_end_of_a_pipe_is_something_to_read(loop: ThreadLoop) -> None:
    reader, writer = os.pipe()
    ended = threading.Event()

    def read() -> None:
        assert os.read(reader, 1) == b""
        loop.remove_reader(reader)
        ended.set()

    on(loop, loop.add_reader, reader, read)
    os.close(writer)
    assert ended.wait(PATIENCE)
    os.close(reader)


def test_reader_and_writer_of_one_descriptor_come_and_go_by_themselves(loop: ThreadLoop) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        seen: Queue[str] = Queue()

        def write() -> None:
            seen.put("write")
            loop.remove_writer(ours.fileno())

        def read() -> None:
            ours.recv(1)
            seen.put("read")

        on(loop, loop.add_reader, ours.fileno(), read)
        on(loop, loop.add_writer, ours.fileno(), write)
        assert seen.get(timeout=PATIENCE) == "write"
        theirs.send(b"a")
        assert seen.get(timeout=PATIENCE) == "read"
        assert on(loop, loop.remove_reader, ours.fileno())
        assert not on(loop, loop.remove_writer, ours.fileno())
        assert seen.empty()


def test_a_callback_may_remove_one_that_is_ready_too(loop: ThreadLoop) -> None:
    pipes = [os.pipe() for _ in range(2)]
    calls: list[int] = []

    def read(own: int) -> None:
        calls.append(own)
        for reader, _ in pipes:
            loop.remove_reader(reader)

    def add() -> None:
        for reader, writer in pipes:
            os.write(writer, b"a")
            loop.add_reader(reader, read, reader)

    on(loop, add)
    for _ in range(3):
        on(loop, int)
    assert len(calls) == 1
    for end in (end for pipe in pipes for end in pipe):
        os.close(end)


def test_what_cannot_be_watched_is_refused(loop: ThreadLoop) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)

    def add() -> type[BaseException] | None:
        try:
            loop.add_reader(reader, int)
        except OSError as error:
            return type(error)
        return None

    assert on(loop, add) is OSError
    assert not on(loop, loop.remove_reader, reader)


# -- Calls -------------------------------------------------------------------------------------------------------------


def test_calls_of_other_threads_come_in_their_order(loop: ThreadLoop) -> None:
    seen: list[int] = []
    for number in range(1000):
        loop.call_soon_threadsafe(seen.append, number)
    on(loop, int)
    assert seen == list(range(1000))


def test_no_call_of_many_threads_is_lost_or_late(loop: ThreadLoop) -> None:
    def ask() -> None:
        for _ in range(300):
            assert on(loop, int) == 0

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_later_calls_come_when_they_are_due_and_not_before(loop: ThreadLoop) -> None:
    seen: Queue[tuple[str, float]] = Queue()
    began = time.monotonic()

    def note(word: str) -> None:
        seen.put((word, time.monotonic() - began))

    on(loop, loop.call_later, 0.06, note, "second")
    on(loop, loop.call_later, 0.03, note, "first")
    (first, after), (second, longer) = seen.get(timeout=PATIENCE), seen.get(timeout=PATIENCE)
    assert (first, second) == ("first", "second")
    assert after >= 0.03
    assert longer >= 0.06


def test_a_cancelled_call_is_not_made(loop: ThreadLoop) -> None:
    seen: Queue[str] = Queue()
    handle = on(loop, loop.call_later, 0.01, seen.put, "cancelled")
    on(loop, handle.cancel)
    on(loop, handle.cancel)
    on(loop, loop.call_later, 0.02, seen.put, "made")
    assert seen.get(timeout=PATIENCE) == "made"
    assert seen.empty()


def test_calls_that_are_cancelled_long_before_they_are_due_take_no_room(loop: ThreadLoop) -> None:
    class Big:
        made = 0

        def __init__(self) -> None:
            Big.made += 1

        def __del__(self) -> None:
            Big.made -= 1

        def __call__(self) -> None:
            pytest.fail("it was cancelled")

    def churn() -> None:
        for _ in range(1000):
            loop.call_later(3600.0, Big()).cancel()

    on(loop, churn)
    assert Big.made == 0


def test_a_callback_that_raises_is_logged_and_the_loop_goes_on(
    loop: ThreadLoop, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise SystemExit("no reason")

    with caplog.at_level(logging.ERROR, "pools"):
        on(loop, loop.call_later, 0, fail)
        loop.call_soon_threadsafe(fail)
        assert on(loop, int) == 0
        assert on(loop, int) == 0
    assert len(caplog.records) == 2
    assert "fail" in caplog.text


# -- The end -----------------------------------------------------------------------------------------------------------


def test_nothing_is_left_of_a_stopped_loop() -> None:
    before = holdings()
    loop = ThreadLoop()
    loop.start()
    seen: list[int] = []
    loop.call_soon_threadsafe(seen.append, 1)
    loop.stop()
    loop.stop()
    assert seen == [1]
    assert not leftovers(before)
    with pytest.raises(RuntimeError, match="pools-loop is stopped"):
        loop.call_soon_threadsafe(int)
    with pytest.raises(RuntimeError, match="pools-loop is stopped"):
        loop.start()


def test_a_loop_may_be_stopped_on_its_own_thread() -> None:
    before = holdings()
    loop = ThreadLoop()
    loop.start()
    loop.call_soon_threadsafe(loop.stop)
    assert not leftovers(before)


def test_a_loop_that_never_started_may_be_stopped() -> None:
    before = holdings()
    ThreadLoop().stop()
    assert not leftovers(before)


# -- Forks -------------------------------------------------------------------------------------------------------------


def test_a_parked_loop_waits_and_loses_nothing(loop: ThreadLoop) -> None:
    seen: Queue[int] = Queue()
    on(loop, int)
    with parked() as threads:
        assert threads == 1
        loop.call_soon_threadsafe(seen.put, 1)
        time.sleep(0.05)
        assert seen.empty()
    assert seen.get(timeout=PATIENCE) == 1


def test_a_loop_parks_the_others_and_not_itself(loop: ThreadLoop) -> None:
    other = ThreadLoop()
    other.start()

    def count() -> int:
        with parked() as threads:
            return threads

    assert count() == 2
    assert on(loop, count) == 1
    other.stop()
    assert count() == 1


def test_the_thread_of_a_timer_parks_between_two_calls() -> None:
    """Thousands of times, while it makes calls all the time: none is half done, and none is lost."""
    timer = ThreadTimer("test")
    begun, ended = itertools.count(), itertools.count()
    made = [0, 0]

    def call() -> None:
        made[0] = next(begun)
        time.sleep(0)
        made[1] = next(ended)

    entry = timer.call_repeatedly(1e-6, call)
    try:
        for _ in range(3000):
            with parked() as threads:
                assert threads == 1
                assert made[0] == made[1]
        before = made[1]
        give_up_at = time.monotonic() + PATIENCE
        while made[1] <= before:
            assert time.monotonic() < give_up_at
            time.sleep(0.001)
    finally:
        entry.cancel()
        timer.stop()
    with parked() as threads:
        assert threads == 0


def test_a_timer_parks_others_and_not_itself() -> None:
    timer, counted = ThreadTimer("test"), Queue[int]()

    def count() -> None:
        with parked() as threads:
            counted.put(threads)

    timer.call_after(0.0, count)
    assert counted.get(timeout=PATIENCE) == 0
    timer.stop()


def test_a_loop_whose_callback_does_not_return_is_not_counted_as_parked(
    loop: ThreadLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pools.parking.PATIENCE", 0.01)
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        entered.set()
        leave.wait(PATIENCE)

    loop.call_soon_threadsafe(stay)
    assert entered.wait(PATIENCE)
    with parked() as threads:
        assert threads == 0
    leave.set()


def test_a_forked_process_has_nothing_of_it(loop: ThreadLoop, pipe: tuple[int, int]) -> None:
    seen: Queue[bytes] = Queue()
    on(loop, loop.add_reader, pipe[0], lambda: seen.put(os.read(pipe[0], 1)))
    pid = os.fork()
    if not pid:
        status = 1
        try:
            # Its own loops work, and the copy of the parent's takes nothing from the parent.
            own = ThreadLoop()
            own.start()
            with parked() as threads:
                assert threads == 1
            assert on(own, int) == 0
            own.stop()
            loop.stop()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    os.write(pipe[1], b"a")
    assert seen.get(timeout=PATIENCE) == b"a"
