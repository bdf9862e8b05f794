"""What the tests of the prefork pool have children do: functions of a module, as targets are pickled by name."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
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


def stop_when_noted(log: str, count: int) -> None:
    """Stand still when so many have left something there."""
    while len(noted(log)) < count:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGSTOP)


def note_and_give(log: str, size: int) -> bytes:
    """The same, and reply with many bytes."""
    note(log, os.getpid())
    return os.urandom(1) * size


# -- Unruly jobs -------------------------------------------------------------------------------------------------------


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


# -- Processes of its own ----------------------------------------------------------------------------------------------


def use_processes() -> list[Any]:
    """Start some, in every way that there is."""
    found: list[Any] = [subprocess.check_output([sys.executable, "-S", "-c", "print(42)"], text=True)]
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1 if method == "fork" else 2) as pool:
            found.append(pool.map(double, [21] if method == "fork" else [1, 2]))
    process = multiprocessing.Process(target=os._exit, args=(3,))
    process.start()
    process.join()
    found.append(process.exitcode)
    return found


def leave_grandchild(path: str) -> None:
    """Fork, and die; the fork goes on with all that it has inherited."""
    pid = os.fork()
    if pid:
        Path(path).write_text(str(pid))
        os._exit(1)
    time.sleep(3 * PATIENCE)
    os._exit(0)


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


def begin_slowly(log: str, first: float) -> None:
    """An initializer that takes long the first time."""
    note(log, os.getpid())
    if len(noted(log)) == 1:
        time.sleep(first)


def die_first(log: str, times: int) -> None:
    """An initializer in which the first few children die."""
    note(log, os.getpid())
    if len(noted(log)) <= times:
        os._exit(9)


_setting = ""


def set_up(value: str) -> None:
    """An initializer."""
    global _setting
    _setting = value


def setting() -> str:
    """What the initializer has set."""
    return _setting


_kept: list[bytes] = []


def keep(size: int) -> int:
    """Have more memory from now on; returns the process id."""
    _kept.append(os.urandom(1) * size)
    return os.getpid()


def grow_for_ever() -> None:
    """Have more and more memory."""
    give_up_at = monotonic() + PATIENCE
    while monotonic() < give_up_at:
        keep(8 << 20)
        time.sleep(0.02)


def resources() -> dict[str, Any]:
    """What the child has of its host."""
    links = [
        str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink() and entry.exists()
    ]
    return {
        "pid": os.getpid(),
        "pipes": sum(link.startswith(("pipe:", "socket:")) for link in links),
        "handlers": [int(number) for number in signal.valid_signals() if callable(signal.getsignal(number))],
        "SIGINT": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
        "SIGHUP": signal.getsignal(signal.SIGHUP) == signal.SIG_DFL,
        "stdin": os.read(0, 1),
        "random": random.random(),
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "daemon": multiprocessing.current_process().daemon,
    }


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
