"""Ends the wait for messages on Redis when the worker may have more of them, where there is no event loop.

A worker that has prefetched all that it may asks Redis for nothing, and kombu then waits for up to two seconds for what
cannot come. Meanwhile, in other greenlets, tasks are acknowledged, and slots run out of tasks.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from kombu.utils.eventio import READ

#: Our name for what there is to be read, where kombu has the names of Redis's commands.
_WAKE = "WAKE"


class Wake:
    """What wakes one connection: to kombu's transport, a channel with a descriptor to be read.

    Args:
        cycle: The transport's ``MultiChannelPoller``.
        qos: The ``QoS`` of the channel, which counts what was prefetched.
    """

    def __init__(self, cycle: Any, qos: Any) -> None:
        self._cycle = cycle
        self._watched = qos
        self._descriptor: int | None = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._cycle._fd_to_chan[self._descriptor] = self, _WAKE
        cycle.poller.register(self._descriptor, READ)
        for settle in (qos.ack, qos.reject):
            setattr(qos, settle.__name__, functools.partial(self._settle, settle))

    def close(self) -> None:
        """Wake nobody any more: the connection is closed, though tasks may go on."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._cycle._fd_to_chan.pop(descriptor, None)
            self._cycle.poller.unregister(descriptor)
            os.close(descriptor)

    def _settle(self, settle: Callable[..., object], *args: Any, **options: Any) -> None:
        settle(*args, **options)
        # With room for one more, there was none before, and the transport may wait: it may have come to that while this
        # one was being settled.
        if self._watched.can_consume_max_estimate() == 1 and self._descriptor is not None:
            os.eventfd_write(self._descriptor, 1)

    # -- For the transport ---------------------------------------------------------------------------------------------

    @property
    def qos(self) -> Wake:
        """What it asks :meth:`can_consume`."""
        return self

    def can_consume(self) -> bool:
        """Whether to read what is there."""
        return True

    @property
    def handlers(self) -> dict[str, Callable[[], object]]:
        """What reads it. The transport, with nothing to deliver, goes on to ask Redis, and to wait again."""
        return {_WAKE: self._read}

    def _read(self) -> None:
        assert self._descriptor is not None
        os.eventfd_read(self._descriptor)
