"""What every process of the pool does first: takes nothing of the host's for its own, and dies with it."""

from __future__ import annotations

import fcntl
import multiprocessing.process
import os
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from typing import Any

from billiard.process import AuthenticationString


def settle(lifeline: int) -> int:
    """Make this process independent of the one that it was copied from, and its life dependent on the host's.

    Signal handlers become the default ones; as with ``exec``, what was ignored stays so, but ``SIGTERM`` and
    ``SIGCHLD``. ``SIGINT`` is ignored: a terminal sends it to everybody, and the host decides what follows. Standard
    input is empty. Random numbers are others. What ``multiprocessing`` knew of the host's own processes is forgotten.

    Args:
        lifeline: The read end of the host's lifeline; it is closed.

    Returns:
        A lifeline of this process's own, to be kept open.
    """
    own = _tie(lifeline)
    _reset_signals()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null:
        os.close(null)
    # The module random does this by itself.
    if numpy_random := sys.modules.get("numpy.random"):
        numpy_random.seed()
    # At the end of a process multiprocessing terminates the daemonic ones among its children, and joins the others.
    # After a fork by billiard, the host's would be taken for them.
    multiprocessing.process._children.clear()  # type: ignore[attr-defined]
    # The current process is billiard's for multiprocessing too; without this no job could spawn any of the latter's.
    ForkingPickler.register(AuthenticationString, _reduce_key)
    return own


def leave_after(main: Callable[..., object], *args: object) -> None:
    """Call ``main(*args)``, and arrange that this process ends when billiard has cleaned up behind it.

    It ends without the handlers of ``atexit``, which are the host's or of a second import of its main module, and
    without waiting for threads that jobs have left. Its exit code is that of a program: 1 after an exception, whose
    traceback is printed, and what ``SystemExit`` says.
    """
    code: object = 0
    try:
        main(*args)
    except SystemExit as end:
        code = end.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    status = code if isinstance(code, int) else int(code is not None)
    Finalize(None, _leave, (status,), exitpriority=-sys.maxsize)


def _tie(lifeline: int) -> int:
    """Have the kernel kill this process when nobody holds the lifeline's write end any more.

    The owner and the signal of asynchronous notices belong to an open file, which forked processes share: so each
    opens its own.
    """
    own = os.open(f"/proc/self/fd/{lifeline}", os.O_RDONLY | os.O_NONBLOCK)
    os.close(lifeline)
    fcntl.fcntl(own, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(own, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)
    try:
        os.read(own, 1)
    except BlockingIOError:
        return own
    # It was over before the notice was asked for.
    os.kill(os.getpid(), signal.SIGKILL)
    return own


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _reduce_key(key: bytes) -> Any:
    return multiprocessing.process.AuthenticationString(key).__reduce__()  # type: ignore[attr-defined]


def _leave(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # there is none, or it is closed
            pass
    os._exit(code)
