"""Jobs that end their process, in every way and at every moment, among jobs that do not."""

from __future__ import annotations

import faulthandler
import os
import random
import signal

#: Of how many children one dies before it is up.
DIES_EARLY = 8


def perhaps_die_early() -> None:
    """An initializer that sometimes ends the child before it is up."""
    if random.randrange(DIES_EARLY) == 0:
        os._exit(7)


def square(number: int) -> int:
    """A job that does no harm."""
    return number * number


def large(number: int) -> bytes:
    """A job whose value goes through shared memory."""
    return number.to_bytes(8, "big") * 12_500


def die(number: int, how: int) -> int:
    """A job that ends its child: by ``os._exit`` if ``how`` is 0, else by that signal."""
    faulthandler.disable()  # pytest's, which would print the stack of each that dies by SIGSEGV
    if how:
        os.kill(os.getpid(), how)
    os._exit(1 + number % 255)


class Deadly:
    """A value that ends the child while it is being pickled, after a part of it was written."""

    def __reduce__(self) -> tuple[type, tuple[()]]:
        os.kill(os.getpid(), signal.SIGKILL)
        return (Deadly, ())


def die_while_writing(number: int) -> tuple[bytes, Deadly]:
    """A job that ends its child by its value."""
    return (large(number), Deadly())
