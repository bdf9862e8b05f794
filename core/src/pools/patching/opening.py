"""The audit when a pool opens: what it says, once, and the ``pools doctor`` line that says more."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Literal

from pools.errors import PatchError, PatchWarning, UsageError
from pools.patching import apply, effects
from pools.spec import PatchRequirement, PoolSpec

if TYPE_CHECKING:
    from pools.patching.audit import Finding

Mode = Literal["warn", "error", "off"]

#: How far from the names of modules it looks; the doctor looks further.
DEPTH = 3
#: How many findings it names.
SHOWN = 3

#: The pools that have told of their findings.
_told: set[str] = set()


def mode(given: Mode | None, configured: Mode) -> Mode:
    """Return the mode that holds: the argument before the setting.

    Raises:
        UsageError: The argument is no mode.
    """
    if given not in (None, "warn", "error", "off"):
        raise UsageError(f'patch_audit={given!r}: not "warn", "error" or "off"')
    return configured if given is None else given


def audit(spec: PoolSpec, mode: Mode) -> None:
    """Look for what the patches of a pool came too late for, and tell of the first of it, once.

    Args:
        spec: The pool that is opened.
        mode: ``"warn"`` with a :class:`pools.errors.PatchWarning`, ``"error"``, or ``"off"``: do not look.

    Raises:
        PatchError: Something was found, and the mode is ``"error"``.
    """
    requirements = [requirement for requirement in apply.requirements(spec) if apply.in_effect(requirement)]
    if mode == "off" or not requirements or (mode == "warn" and spec.name in _told):
        return
    found = first(requirements)
    if not found:
        return
    if mode == "error":
        raise PatchError(_message(spec.name, found))
    _told.add(spec.name)
    warnings.warn(_message(spec.name, found), PatchWarning, stacklevel=3)


def first(requirements: Sequence[PatchRequirement]) -> list[Finding]:
    """Return the first findings, one more than a warning names: it is not known how many there are."""
    # Imported here: this module is imported before the standard library is patched, and the audit is for afterwards.
    from pools.patching.extensions import blocking
    from pools.patching.glance import Glance
    from pools.patching.scope import Scope

    scope, early = Scope(requirements), effects.early(requirements)
    modules = filter(scope.is_looked_into, list(sys.modules) if early is None else early)
    suspects = Glance(effects.originals(requirements), scope.unusable()).suspects(modules)
    one = list(islice(suspects, 1))
    if not (one or effects.threads(requirements) or list(blocking(scope.told("HELPS")))):
        return []
    # As late as this, because it takes a while and most programs come to no harm.
    from pools.patching.audit import Audit

    return list(islice(Audit(requirements, DEPTH).of(chain(one, suspects)), SHOWN + 1))


def _message(pool: str, found: list[Finding]) -> str:
    shown = "; ".join(_in_short(finding) for finding in found[:SHOWN])
    more = "; and more" if len(found) > SHOWN else ""
    return (
        f"pool {pool} may block, because its patch came too late for some of the program or does not reach it: "
        f"{shown}{more}. Who imported it, and what to do: {_doctor(pool, found[0])}"
    )


def _in_short(finding: Finding) -> str:
    place = f" ({finding.bound.file}, line {finding.bound.line})" if finding.bound else ""
    if finding.kind == "C extension":
        return f"{finding.module}: {finding.original}"
    return f"{finding.module}.{finding.attribute} is the original {finding.original}{place}"


def _doctor(pool: str, finding: Finding) -> str:
    """Return the ``pools doctor`` line for this program."""
    from shlex import join

    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    name = spec.name.removesuffix(".__main__") if spec is not None else ""
    if name == "pools" or not getattr(main, "__file__", None):
        program = ["-A", finding.module]
    else:
        program = [*(["-m", name] if name else sys.argv[:1]), *sys.argv[1:]]
    return join(["pools", "doctor", "-P", pool, *program])
