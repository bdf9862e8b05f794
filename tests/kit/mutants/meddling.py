"""What mutants are made of: pools that work, and a place to meddle with what they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pools import Job
from pools_threads.pool import ThreadsPool

Options = dict[str, Any]


class Mutant(ThreadsPool):
    """The threads pool, with a defect."""

    breaks: ClassVar[int]
    found_by: ClassVar[str] = ""

    def apply_async(
        self,
        target: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Job:
        target, options = self.meddle(target, options)
        return super().apply_async(target, args, kwargs, **options)

    def meddle(self, target: Callable[..., Any], options: Options) -> tuple[Callable[..., Any], Options]:
        """What is asked of the real pool instead."""
        return target, options


def around(options: Options, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Options:
    """The options with one callback wrapped, if it is there."""
    callback = options.get(name)
    return options if callback is None else {**options, name: wrap(callback)}
