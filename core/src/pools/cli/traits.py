"""A pool's traits for readers."""

from __future__ import annotations

import dataclasses

from pools.spec import HARD_TIMEOUTS, Traits

_MEANINGS = {
    "is_green": "slots are greenlets: many are cheap, and they take turns on one thread",
    "signal_safe": "apply_async may be called from a signal handler",
    "soft_timeout": "SoftTimeLimitExceeded can be raised inside a running job",
    "hard_timeout": "what ends a job past its timeout",
    "terminate": "a running job can be ended by terminate_job",
    "resize": "grow and shrink work while jobs run",
    "initializer": "initializer(*initargs) is called in each slot before its first job",
    "context": "jobs see the context variables that were set where they were submitted",
    "max_concurrency": "the most slots that it can have",
}


def at_a_glance(traits: Traits) -> str:
    """Return the traits that a pool has, in one line: ``is_green, hard_timeout=throw``."""
    said = []
    for name, value in dataclasses.asdict(traits).items():
        if value is True:
            said.append(name)
        elif value:
            said.append(f"{name}={value}")
    return ", ".join(said)


def explained(traits: Traits) -> list[tuple[str, str, str]]:
    """Return every trait, its value and what it means."""
    rows = []
    for name, value in dataclasses.asdict(traits).items():
        shown = {True: "yes", False: "no", None: "-"}.get(value, str(value))
        meaning = HARD_TIMEOUTS[value] if name == "hard_timeout" and value else _MEANINGS[name]
        rows.append((name, shown, meaning))
    return rows
