"""What the suite gives to pools as jobs: functions of a module that any process can import, with plain arguments.

They communicate through files, which threads, greenlets and processes see alike. Little is imported here, as a pool
may have each job import this anew.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, NoReturn

#: Seconds after which a job that nobody lets go ends by itself.
GIVE_UP = 60.0


# -- Values ------------------------------------------------------------------------------------------------------------


def give(value: Any) -> Any:
    """Return it."""
    return value


def collect(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return how it was called."""
    return args, kwargs


def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def add(*numbers: int) -> int:
    """Return the sum."""
    return sum(numbers)


def pid() -> int:
    """Return the process in which the job runs."""
    return os.getpid()


def measure(data: bytes) -> int:
    """Return how much was given."""
    return len(data)


def make(size: int) -> bytes:
    """Return so many bytes."""
    return b"x" * size


class Thing:
    """Something to be given and returned, and looked for afterwards."""


def make_thing() -> Thing:
    """Return a new one."""
    return Thing()


def take(thing: Thing) -> None:
    """Be given one, and keep nothing."""


# -- Time --------------------------------------------------------------------------------------------------------------


def spend(seconds: float) -> None:
    """Wait in small steps, as a job that an exception can end at once."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        time.sleep(0.001)


def span(seconds: float) -> tuple[float, float]:
    """Wait; returns when it began and when it ended, in seconds of ``time.monotonic()``, which processes share."""
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def compute(seconds: float) -> None:
    """Compute in Python, and never wait."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        pass


def compute_in_c(count: int = 4_000_000) -> int:
    """Compute in one call into C, where nothing of Python runs."""
    return sum(range(count))


def stuck_in_here(seconds: float) -> None:
    """The function that the stack of a job past its limit names."""
    spend(seconds)


def hold(gate: str) -> None:
    """Wait until somebody opens the gate: takes this file away."""
    give_up_at = time.monotonic() + GIVE_UP
    while os.path.exists(gate):  # noqa: PTH110  # pathlib is not worth its import to a process with one job
        if time.monotonic() > give_up_at:
            raise TimeoutError("nobody let the job go")
        time.sleep(0.002)


def note(log: str, word: object = "") -> None:
    """Leave a line in a file, in one piece."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, f"{word}\n".encode())
    finally:
        os.close(descriptor)


def hold_and_note(gate: str, log: str, word: object) -> object:
    """Wait for the gate, and leave a trace of having done so; returns the word."""
    hold(gate)
    note(log, word)
    return word


def beat(log: str, seconds: float) -> None:
    """Leave a sign of life every few milliseconds."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        note(log, "alive")
        time.sleep(0.005)


def meet(mine: str, other: str, seconds: float) -> bool:
    """Show that this job runs, and wait for another one to do the same; returns whether it did in time."""
    note(mine)
    give_up_at = time.monotonic() + seconds
    while not os.path.exists(other):  # noqa: PTH110
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.002)
    return True


# -- Errors ------------------------------------------------------------------------------------------------------------


class OrderError(Exception):
    """An exception of a program: with an argument of its own and an attribute."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.reason = f"order {number} is out of stock"


def reject(number: int) -> NoReturn:
    """Raise an exception of a program."""
    raise OrderError(number)


def refuse(thing: Thing) -> NoReturn:
    """Raise it with something in the frame."""
    raise OrderError(id(thing))


def order(number: int) -> NoReturn:
    """Raise it from one call deeper."""
    reject(number)


def order_with_cause(number: int) -> None:
    """Raise one exception from another."""
    try:
        order(number)
    except OrderError as error:
        raise LookupError("no order") from error


def throw(error: BaseException) -> NoReturn:
    """Raise whatever was given."""
    raise error


def throw_named(name: str) -> NoReturn:
    """Raise an exception of the builtins."""
    import builtins

    error = getattr(builtins, name)("from a job")
    assert isinstance(error, BaseException)
    raise error


def leave(code: int) -> NoReturn:
    """Call ``sys.exit``."""
    sys.exit(code)


def endless(depth: int = 0) -> int:
    """Recurse without end."""
    return endless(depth + 1) + 1


def fail_to_begin(log: str) -> NoReturn:
    """An initializer that raises."""
    note(log, os.getpid())
    raise LookupError("no settings")


# -- What only a process of its own survives ---------------------------------------------------------------------------


def exit_at_once(code: int) -> None:
    """End the process without another word."""
    os._exit(code)


def kill_itself() -> None:
    """End the process by a signal."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(GIVE_UP)


class Unpicklable:
    """Does not pickle."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("this stays where it is")


class BadToLoad:
    """Pickles, and does not unpickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return refuse_to_load, ()


def refuse_to_load() -> NoReturn:
    """What unpickling comes to."""
    raise ValueError("this does not load")


def give_unpicklable() -> Unpicklable:
    """Return what cannot be handed over."""
    return Unpicklable()


def give_bad_to_load() -> BadToLoad:
    """Return what cannot be read."""
    return BadToLoad()


class TwoArgumentsError(Exception):
    """Pickles, and does not unpickle: its arguments are not those of its constructor."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def raise_bad_to_load() -> NoReturn:
    """Raise what cannot be read."""
    raise TwoArgumentsError("this", "that")
