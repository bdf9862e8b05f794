"""What a plugin declares about its pool: frozen dataclasses, and nothing imported beyond them.

A plugin's declaration is read before the standard library is patched, so neither this module nor a plugin's
``plugin.py`` may import anything that a patch replaces.
"""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

HardTimeout = Literal["kill", "throw", "abandon", "interrupt"]
OptionType = Literal["text", "count", "seconds", "switch"]

#: What a pool does to a job whose hard limit passed (point 5 of the contract).
HARD_TIMEOUTS: Mapping[str, str] = {
    "kill": "the job's process is killed",
    "throw": "an exception is thrown into the job, which only a job that never yields can delay",
    "abandon": "the slot is replaced, and the stray job counted in info until it ends",
    "interrupt": "an exception is raised in the job by a POSIX timer",
}

#: How the values of each type of option are written: in help texts, and on the command line.
OPTION_TYPES: Mapping[str, str] = {"text": "TEXT", "count": "N", "seconds": "SECONDS", "switch": "true|false"}

_NAME = re.compile(r"\w+(-\w+)*")
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _check(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


@dataclass(frozen=True, slots=True)
class Traits:
    """The testable promises of a pool: where pools may differ, and in what.

    A request that a trait rules out raises :class:`pools.errors.UnsupportedError` when it is made.

    Attributes:
        is_green: Slots are greenlets: many are cheap, and they take turns on one thread.
        signal_safe: ``apply_async`` may be called from a signal handler.
        soft_timeout: ``SoftTimeLimitExceeded`` can be raised inside a running job.
        hard_timeout: What ends a job past its ``timeout`` (a key of :data:`HARD_TIMEOUTS`); None if nothing does.
        terminate: A running job can be ended by ``terminate_job``.
        resize: ``grow`` and ``shrink`` work while jobs run.
        context: Jobs see the context variables that were set where they were submitted.
        initializer: ``initializer(*initargs)`` is called in each slot before its first job.
        max_concurrency: The most slots that this pool can have; None if there is no such number.
    """

    is_green: bool = False
    signal_safe: bool = False
    soft_timeout: bool = False
    hard_timeout: HardTimeout | None = None
    terminate: bool = False
    resize: bool = False
    context: bool = False
    initializer: bool = False
    max_concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in ("is_green", "signal_safe", "soft_timeout", "terminate", "resize", "context", "initializer"):
            _check(isinstance(getattr(self, name), bool), f"trait {name} is {getattr(self, name)!r}, not a bool")
        _check(
            self.hard_timeout is None or self.hard_timeout in HARD_TIMEOUTS,
            f"trait hard_timeout is {self.hard_timeout!r}, not None or one of {', '.join(HARD_TIMEOUTS)}",
        )
        limit = self.max_concurrency
        _check(
            limit is None or (isinstance(limit, int) and limit > 0),
            f"trait max_concurrency is {limit!r}, not None or a positive number",
        )


@dataclass(frozen=True, slots=True)
class Option:
    """A setting that a pool or a patch takes beyond those that every pool takes.

    Attributes:
        name: The keyword argument.
        help: What it does, in one line.
        default: Its value when nobody sets it.
        env: The environment variable that sets it. If None: of a pool's option ``POOLS_NAME``, of a patch's there is
            none.
        type: What its values are (a key of :data:`OPTION_TYPES`), so that they can be read from text: ``"count"`` is a
            positive whole number, ``"seconds"`` a positive number.
        choices: The only values that it can have, for one of type ``"text"``.
    """

    name: str
    help: str
    default: Any = None
    env: str | None = None
    type: OptionType = "text"
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self.name.isidentifier(), f"option name {self.name!r} is not an identifier")
        _check(
            self.type in OPTION_TYPES,
            f"type of option {self.name} is {self.type!r}, not one of {', '.join(OPTION_TYPES)}",
        )
        _check(
            isinstance(self.choices, tuple) and (not self.choices or self.type == "text"),
            f"choices of option {self.name} are not a tuple, or its type is not text",
        )

    @property
    def written(self) -> str:
        """How its values are written."""
        return "|".join(self.choices) or OPTION_TYPES[self.type]


@dataclass(frozen=True, slots=True)
class PatchRequirement:
    """What a pool needs done to the standard library before the program imports it.

    Attributes:
        name: What the patch is known by, in errors and to ``conflicts``.
        module: The module that applies it, imported only then. It has ``apply(options: Mapping[str, str]) -> None``,
            which gets the options that the environment sets, and ``is_applied() -> bool``, which also sees a patch that
            the program applied by itself. A patch of which parts can be applied has ``is_begun() -> bool`` besides:
            any part is enough for a conflict. Neither imports anything to find out.
        replaces: The standard modules of which it replaces parts.
        before: The modules that must not have been imported when it is applied.
        conflicts: The names of patches that cannot be in one process with this one.
        options: What changes it; each option is set by its environment variable.
        audit: The module that helps to find what was patched too late, imported only for that, and maybe before the
            patch. It may have ``CALLS``, the functions by which a program applies the patch itself, as
            ``"module:function"``; ``DELIBERATE``, the names of those by which it asks for an original;
            ``originals() -> Mapping[str, object]``, what a patch replaced that the program applied by itself, by
            dotted name; ``HELPS``, what makes libraries in C cooperate (a
            :class:`pools.patching.extensions.Help` for each, by the name by which it is imported); and ``UNUSABLE``,
            the classes that cannot be used under the patch, by dotted name, with what to do about it.
    """

    name: str
    module: str
    replaces: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    audit: str | None = None

    def __post_init__(self) -> None:
        _check(bool(_NAME.fullmatch(self.name)), f"patch name {self.name!r} is not words joined by hyphens")
        for module in (self.module, self.audit or self.module):
            _check(all(part.isidentifier() for part in module.split(".")), f"{module!r} is not a module name")
        for name in ("replaces", "before", "conflicts", "options"):
            _check(isinstance(getattr(self, name), tuple), f"{name} of patch {self.name} is not a tuple")


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """A plugin's declaration of its pool: what ``pools_pool()`` returns.

    Attributes:
        name: The name of the pool, the same as its entry point's.
        pool: Where its class is, as ``"module:Class"``; imported when the pool is opened.
        summary: One line for ``pools list``.
        traits: Its testable promises.
        aliases: Further names that it answers to.
        patches: What it needs patched, applied in this order.
        options: The settings that it takes beyond those that every pool takes.
        requires_core: The versions of pools-core that it works with, as pip would be told them: ``">=0.2,<1"``. Only
            for a distribution that does not depend on pools-core by itself (a library with an optional pool): what a
            distribution depends on is checked before its plugin is imported.
    """

    name: str
    pool: str
    summary: str = ""
    traits: Traits = field(default_factory=Traits)
    aliases: tuple[str, ...] = ()
    patches: tuple[PatchRequirement, ...] = ()
    options: tuple[Option, ...] = ()
    requires_core: str = ""

    def __post_init__(self) -> None:
        _check(bool(_NAME.fullmatch(self.name)), f"pool name {self.name!r} is not words joined by hyphens")
        _check(bool(_REFERENCE.fullmatch(self.pool)), f"pool {self.pool!r} is not of the form module:Class")
        _check(isinstance(self.traits, Traits), f"traits of pool {self.name} is not a Traits")
        _check(isinstance(self.requires_core, str), f"requires_core of pool {self.name} is not a string")
        for name, kind in (("aliases", str), ("patches", PatchRequirement), ("options", Option)):
            value = getattr(self, name)
            _check(
                isinstance(value, tuple) and all(isinstance(item, kind) for item in value),
                f"{name} of pool {self.name} is not a tuple of {kind.__name__}",
            )


class _SpecModule(types.ModuleType):
    """The class of this module, which has the name of the function ``pools.spec(name)`` and answers to its call."""

    def __call__(self, name: str) -> PoolSpec:
        from pools import registry

        return registry.spec(name)


sys.modules[__name__].__class__ = _SpecModule
