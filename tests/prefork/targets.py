"""What the tests of the prefork pool have children do: functions of a module, as targets are pickled by name."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import pools
from pools.errors import SoftTimeLimitExceeded
from tests.contract.records import PATIENCE, job_here, until

# -- Time --------------------------------------------------------------------------------------------------------------


def spend(seconds: float) -> float:
    """Wait; returns when it began."""
    began = monotonic()
    time.sleep(seconds)
    return began


def spin(seconds: float) -> None:
    """Compute in Python."""
    give_up_at = monotonic() + seconds
    while monotonic() < give_up_at:
        pass


def compute_in_c(count: int = 10**12) -> int:
    """Compute in C, where no signal handler of Python runs and the interpreter's lock is held."""
    return sum(range(count))


def stuck_in_python() -> None:
    """The function that the stack of a job past its limit names."""
    spin(PATIENCE)


def stuck_in_c() -> None:
    """The same."""
    compute_in_c()


def hold(release: str, begun: str = "") -> int:
    """Wait until a file is there, having made another one; returns the process id."""
    if begun:
        Path(begun).touch()
    give_up_at = monotonic() + PATIENCE
    while not Path(release).exists():
        assert monotonic() < give_up_at, "nobody let the job go"
        time.sleep(0.002)
    return os.getpid()


def near_limit(seconds: float, offset: float) -> float:
    """End ``offset`` seconds after ``seconds`` of the job; returns a time just before its end."""
    accepted_at = job_here().accepted_at
    assert accepted_at is not None
    return until(accepted_at + seconds + offset)


def count_soft_limits(times: int, seconds: float) -> int:
    """Go on after each soft limit; returns how many there were."""
    caught = 0
    for _ in range(times):
        try:
            time.sleep(seconds)
        except SoftTimeLimitExceeded:
            caught += 1
    return caught


def catch_soft_limit(seconds: float) -> str:
    """Clean up at the soft limit."""
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded:
        time.sleep(0.005)
        return "partial"
    return "complete"


def cross_soft_limit(seconds: float) -> NoReturn:
    """Make an error of its own of the soft limit."""
    try:
        time.sleep(seconds)
    except SoftTimeLimitExceeded as error:
        raise KeyError("mine") from error
    raise AssertionError("there was no limit")


def shielded(seconds: float, after: float) -> tuple[bool, bool]:
    """Hold a soft limit off, then let it come; returns whether the section was whole, and whether it came after."""
    whole = False
    try:
        with pools.shield():
            spin(seconds)
            whole = True
        spin(after)
    except SoftTimeLimitExceeded:
        return whole, True
    return whole, False


# -- Facts -------------------------------------------------------------------------------------------------------------


def pid() -> int:
    """The child."""
    return os.getpid()


def look_at_job() -> dict[str, Any]:
    """What a job can know of itself."""
    job = job_here()
    return {
        "id": job.id,
        "slot_id": job.slot_id,
        "accepted_at": job.accepted_at,
        "deadline": job.deadline,
        "correlation_id": job.correlation_id,
        "cancel_requested": job.cancel_requested,
        "pool": job.pool.name,
    }


def wait_for_cancel_request() -> str:
    """Go on until somebody asks for the end."""
    job = job_here()
    give_up_at = monotonic() + PATIENCE
    while not job.cancel_requested:
        assert monotonic() < give_up_at, "nobody asked"
        time.sleep(0.001)
    return "asked"


def note(log: str, *words: object) -> None:
    """Add a line to a file, in one piece."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, " ".join(map(str, words)).encode() + b"\n")
    finally:
        os.close(descriptor)


def noted(log: str | Path) -> list[str]:
    """The lines of that file."""
    return Path(log).read_text().splitlines() if Path(log).exists() else []


def note_and_return(log: str, number: int, seconds: float = 0.0) -> int:
    """Leave a trace of having run."""
    note(log, number)
    if seconds:
        time.sleep(seconds)
    return number


def note_and_sleep(log: str) -> None:
    """Leave the process id behind, and go on."""
    note(log, os.getpid())
    time.sleep(PATIENCE)


def stop_when_noted(log: str, count: int) -> None:
    """Stand still when so many have left something there."""
    while len(noted(log)) < count:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGSTOP)


def note_and_stop(log: str) -> None:
    """The same, and stand still."""
    note(log, os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)


def note_and_refuse_to_end(log: str) -> None:
    """The same, and ignore whatever can be ignored."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_IGN)
    note(log, os.getpid())
    time.sleep(PATIENCE)


def note_and_give(log: str, size: int) -> bytes:
    """The same, and reply with many bytes."""
    note(log, os.getpid())
    return os.urandom(1) * size


# -- Jobs that look at each other --------------------------------------------------------------------------------------


def overlap(directory: str, seconds: float) -> int:
    """How many such jobs run at this moment, this one included."""
    mine = Path(directory) / f"running-{job_here().id}"
    mine.touch()
    try:
        time.sleep(seconds)
        return len(list(Path(directory).glob("running-*")))
    finally:
        mine.unlink()


def meet(directory: str, mine: int, other: int) -> int:
    """Wait for the job that waits for this one."""
    (Path(directory) / f"here-{mine}").touch()
    give_up_at = monotonic() + 5.0
    while not (Path(directory) / f"here-{other}").exists():
        assert monotonic() < give_up_at, "the other one has not begun"
        time.sleep(0.0005)
    return mine


# -- Children of a kind ------------------------------------------------------------------------------------------------


def fail_to_begin(log: str) -> NoReturn:
    """An initializer."""
    note(log, os.getpid())
    raise LookupError("no settings")


_setting = ""


_kept: list[bytes] = []


def note_pid(log: str, number: int) -> int:
    """Leave a trace of having run; returns the process id."""
    note(log, number)
    return os.getpid()


#: A lock that the host's threads may hold when a child is made.
LOCK = threading.Lock()


def take_lock() -> bool:
    """Whether the lock can be had here."""
    with LOCK:
        return True


def register_at_exit() -> None:
    """What a child does not do at its end."""
    atexit.register(print, "the child's")


# -- Values ------------------------------------------------------------------------------------------------------------


def large(size: int) -> bytes:
    return b"x" * size


def measure(data: Any) -> int:
    return len(data)


def echo(value: Any) -> Any:
    return value


def double(number: int) -> int:
    return 2 * number


class Doubler:
    """Something to call that is not a function."""

    def __init__(self, factor: int) -> None:
        self._factor = factor

    def __call__(self, number: int, plus: int = 0) -> int:
        return self._factor * number + plus

    def times(self, number: int) -> int:
        return self._factor * number
