"""The event loop protocol: what a pool that has descriptors needs of its host's loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class EventLoop(Protocol):
    """Five methods that asyncio's loops and kombu's hub both have, so that neither needs an adapter."""

    def add_reader(self, fd: int, callback: Callable[..., Any], *args: Any) -> Any:
        """Call ``callback(*args)`` whenever ``fd`` can be read."""

    def remove_reader(self, fd: int) -> Any:
        """Stop that."""

    def add_writer(self, fd: int, callback: Callable[..., Any], *args: Any) -> Any:
        """Call ``callback(*args)`` whenever ``fd`` can be written."""

    def remove_writer(self, fd: int) -> Any:
        """Stop that."""

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Any:
        """Call ``callback(*args)`` once, in ``delay`` seconds."""
