"""What the tests of the prefork pool have children do that no job should do; targets, as those in ``targets``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

from tests.contract.records import PATIENCE


def exit_at_once(code: int) -> None:
    """End the process without another word."""
    os._exit(code)


def raise_signal(number: int) -> None:
    """Kill the process by a signal that has its default effect."""
    signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), number)
    time.sleep(PATIENCE)


def raise_system_exit(code: object = 3) -> NoReturn:
    """What a job should not do."""
    sys.exit(code)  # type: ignore[arg-type]  # it takes anything


def raise_interrupt() -> NoReturn:
    """What only a terminal should do."""
    raise KeyboardInterrupt


def raise_generator_exit() -> NoReturn:
    """What only a generator is told."""
    raise GeneratorExit


def ignore_sigterm(seconds: float, begun: str = "") -> None:
    """Not end when told to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if begun:
        Path(begun).touch()
    time.sleep(seconds)


def swallow_everything(seconds: float) -> str:
    """Go on whatever is raised."""
    give_up_at = monotonic() + seconds
    while monotonic() < give_up_at:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)
    return "in vain"


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


class UnpicklableError(Exception):
    """Does not pickle."""

    def __init__(self) -> None:
        super().__init__("not to be pickled")
        self.keep = Unpicklable()


class TwoArgumentsError(Exception):
    """Pickles, and does not unpickle: its arguments are not those of its constructor."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class ExitingError(Exception):
    """Ends whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return raise_system_exit, (7,)


def give_unpicklable() -> Unpicklable:
    return Unpicklable()


def give_bad_to_load() -> BadToLoad:
    return BadToLoad()


def fail(kind: str) -> NoReturn:
    """Raise an exception of a kind."""
    if kind == "unpicklable":
        raise UnpicklableError
    if kind == "bad to load":
        raise TwoArgumentsError("this", "that")
    if kind == "exiting":
        raise ExitingError("well")
    raise LookupError(kind)


def fail_deeply(depth: int) -> NoReturn:
    """Raise with a cause, some calls below."""
    if depth:
        fail_deeply(depth - 1)
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise LookupError("as it must") from error
