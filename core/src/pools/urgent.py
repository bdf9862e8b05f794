"""The signal by which a native thread gets a word in while other code holds the main thread: ``SIGURG``.

It is ignored by default, hardly used for anything, and what Go's scheduler preempts its goroutines by, for the same
reasons. Python runs the handler between two bytecodes of whatever greenlet computes, on the main thread alone.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

#: Called with the frame at which the main thread stands.
Listener = Callable[[FrameType | None], object]

#: Those who listen now; the signal handler stands as long as there is one.
_listeners: dict[Listener, bool] = {}
_handler_before: list[Any] = []


def _on_signal(signal_number: int, frame: FrameType | None) -> None:
    for listener in list(_listeners):
        listener(frame)
    for handler in _handler_before:
        if callable(handler):
            handler(signal_number, frame)


def listen(listener: Listener) -> bool:
    """Have ``listener(frame)`` called at each signal, until :func:`ignore`; what it raises is raised at that frame.

    Returns:
        Whether it will be; False if the calling thread is not the main one.
    """
    if not _listeners:
        try:
            _handler_before.append(signal.signal(signal.SIGURG, _on_signal))
        except ValueError:
            return False
    _listeners[listener] = True
    return True


def ignore(listener: Listener) -> None:
    """End what :func:`listen` began; the last one gives the signal back. On the main thread."""
    del _listeners[listener]
    if not _listeners:
        signal.signal(signal.SIGURG, _handler_before.pop() or signal.SIG_DFL)


def call(thread: int) -> None:
    """Send the signal to a thread, by its identifier."""
    signal.pthread_kill(thread, signal.SIGURG)
