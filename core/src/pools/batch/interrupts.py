"""Ctrl-C and SIGTERM, in two steps: the first asks the batch to stop, the second to terminate what runs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType

from pools.current import current_job

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While it is entered, signals are noted here instead of having their effect; a third one has it again.

    Attributes:
        stop: The signal after which the batch is to take no more input and finish what runs, or None.
        terminate: The signal after which it is to end what runs, or None.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        """Args: wake: Called in the signal handler, to have the waiting batch look here."""
        self.stop: signal.Signals | None = None
        self.terminate: signal.Signals | None = None
        self._wake = wake

    def __enter__(self) -> Interrupts:
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.stop is None:
            self.stop = signal.Signals(number)
            self._wake()
            return
        self.terminate = signal.Signals(number)
        self._wake()
        self._restore()
        if current_job() is not None:
            # A job holds the thread that would terminate it: it runs inline, or never yields. This ends it.
            raise KeyboardInterrupt
