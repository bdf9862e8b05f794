"""What the process of the doctor is told to do, by the process of the command; and where it leaves its report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pools.spec import Option, PatchRequirement


@dataclass(frozen=True, slots=True)
class Order:
    """What to examine.

    Attributes:
        pool: The name of the pool.
        patches: Its patches.
        modules: The modules to import once the patches are applied; none if there is a program.
        program: The program to run, which patches by itself, with its arguments.
        report: The file that the report goes to, written anew with every audit.
    """

    pool: str
    patches: tuple[PatchRequirement, ...]
    modules: tuple[str, ...]
    program: tuple[str, ...]
    report: str

    def dump(self) -> str:
        """Return the order as text."""
        return json.dumps(asdict(self), default=str)


def load_order(text: str) -> Order:
    """Return an order from its text."""
    fields = json.loads(text)
    patches = tuple(_patch(patch) for patch in fields.pop("patches"))
    return Order(patches=patches, **{name: _tuple(value) for name, value in fields.items()})


def _patch(fields: Mapping[str, Any]) -> PatchRequirement:
    options = tuple(Option(**{name: _tuple(value) for name, value in option.items()}) for option in fields["options"])
    return PatchRequirement(**{**{name: _tuple(value) for name, value in fields.items()}, "options": options})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def write_report(path: str, report: Mapping[str, Any]) -> None:
    """Write a report; whoever reads the file finds this one or the last, and never a part."""
    new = Path(f"{path}.new")
    new.write_text(json.dumps(report))
    new.replace(path)


def read_report(path: str) -> dict[str, Any] | None:
    """Return the last report; None if there is none."""
    text = Path(path).read_text()
    report: dict[str, Any] | None = json.loads(text) if text else None
    return report
