"""Ctrl-C and SIGTERM, in two steps: the first asks the batch to stop, the second to terminate what runs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType

from pools.current import current_job

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While it is entered, signals are noted here instead of having their effect; a third one ends the process.

    Attributes:
        stop: The signal after which the batch is to take no more input and finish what runs, or None.
        terminate: The signal after which it is to end what runs, or None.
    """

    def __init__(self, wake: Callable[[], object], cancel: Callable[[], object]) -> None:
        """Both arguments are called in the signal handler.

        Args:
            wake: Has the waiting batch look here.
            cancel: Cancels what has not begun; called if the batch cannot do it, as a job holds its thread.
        """
        self.stop: signal.Signals | None = None
        self.terminate: signal.Signals | None = None
        self._wake = wake
        self._cancel = cancel

    def __enter__(self) -> Interrupts:
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # A job that runs inline, or that never yields to its hub, holds the thread on which the batch runs.
        held = current_job() is not None
        if self.stop is None:
            self.stop = signal.Signals(number)
            if held:
                self._cancel()
            self._wake()
            return
        self.terminate = signal.Signals(number)
        self._wake()
        for again in _SIGNALS:
            signal.signal(again, signal.SIG_DFL)
        if held:
            raise KeyboardInterrupt
