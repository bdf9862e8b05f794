"""Which versions of this core a plugin works with, as its distribution and its spec say.

What the distribution says is read before the plugin is imported: one that is for a newer core may not even import here.
All of this comes before a patch, so packaging's own specifiers, which import subprocess, are not used.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.metadata import version

from packaging.version import Version

CORE = "pools-core"

#: A dependency on the core, as metadata has it, and its version specifier. One under a condition (``; extra == "x"``)
#: is not among these: whether it holds is known to who installed it.
_DEPENDENCY = re.compile(r"pools[-_.]core(?![-_.\w])\s*(?:\[[^]]*\]\s*)?\(?([^();]*)\)?\s*", re.IGNORECASE)

_CLAUSE = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*([^\s*]+?)(\.\*)?\s*")


@functools.cache
def core_version() -> str:
    """Return the version of this core."""
    return version(CORE)


def dependencies_on_core(requirements: Iterable[str]) -> tuple[str, ...]:
    """Return the version specifiers of the requirements that are for the core; an empty one allows every version."""
    found = (_DEPENDENCY.fullmatch(requirement) for requirement in requirements)
    return tuple(match[1].strip() for match in found if match is not None)


def allows(specifier: str, version: str) -> bool:
    """Return whether a version specifier allows a version, as pip has it; an installed pre-release is one like others.

    Raises:
        ValueError: It is no version specifier.
    """
    # All of them are read, so that whether a specifier is one does not depend on the version.
    answers = [_clause_allows(clause, Version(version)) for clause in specifier.split(",") if clause.strip()]
    return all(answers)


def _clause_allows(clause: str, version: Version) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None or (match[3] and match[1] not in ("==", "!=")):
        raise ValueError(f"{clause.strip()!r} is none")
    operator, wanted = match[1], Version(match[2])
    public = Version(version.public)
    same_base = public.base_version == wanted.base_version
    equal = (
        _same_series(public, wanted, len(wanted.release))
        if match[3]
        else (version if wanted.local else public) == wanted
    )
    answers = {
        "==": equal,
        "!=": not equal,
        ">=": public >= wanted,
        "<=": public <= wanted,
        "~=": public >= wanted and _same_series(public, wanted, len(wanted.release) - 1),
        # A pre-release of the limit is not below it, and a post-release not above it.
        "<": public < wanted and (wanted.is_prerelease or not same_base),
        ">": public > wanted and (wanted.is_postrelease or not (same_base and public.is_postrelease)),
    }
    return answers[operator]


def _same_series(version: Version, wanted: Version, length: int) -> bool:
    """Whether two versions have the same first numbers, so many of them."""
    release = (*version.release, *(0,) * length)
    return version.epoch == wanted.epoch and release[:length] == wanted.release[:length]
