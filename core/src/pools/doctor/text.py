"""The report of the doctor for readers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

#: The kinds of what is found whenever its module was imported.
_WHENEVER = frozenset({"C extension", "multiprocessing", "patch"})


def print_report(report: Mapping[str, Any]) -> None:
    """Print a report to standard output, finding by finding."""
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for number, finding in enumerate(report["stale"], 1):
        _print_finding(console, number, finding)
    console.print(_summary(report))


def _print_finding(console: Console, number: int, finding: Mapping[str, Any]) -> None:
    name = ".".join(filter(None, (finding["module"], finding["attribute"])))
    console.print(Text.assemble(f"{number}. ", (name, "bold"), f"  {finding['kind']}"))
    lines = [f"{_verb(finding['kind'])} {finding['original']}{_at(finding['bound'])}"]
    if finding["chain"]:
        early = "" if finding["kind"] in _WHENEVER else "too early "
        targets = [link["module"] for link in finding["chain"][1:]] + [finding["module"]]
        for position, (link, target) in enumerate(zip(finding["chain"], targets, strict=True)):
            where = f"{_shown(link['file'])}:{link['line']}"
            lines.append(f"which imports {target} ({where})" if position else f"imported {early}by {where} ({target})")
    lines.append(f"do: {finding['advice']}")
    for line in lines:
        console.print(Text(f"   {line}"))
    console.print()


def _verb(kind: str) -> str:
    return {
        "C extension": "blocks in",
        "multiprocessing": "uses",
        "instance": "is an original",
        "thread": "is an original",
        "patch": "lacks the patch",
    }.get(kind, "holds the original")


def _at(place: Mapping[str, Any] | None) -> str:
    return f", {_shown(place['file'])}:{place['line']}" if place else ""


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def _summary(report: Mapping[str, Any]) -> str:
    count = len(report["stale"])
    found = f"{count} finding{'s' if count != 1 else ''}" if count else "nothing was patched too late"
    patched = (
        f", patched at {_shown(report['patched']['file'])}:{report['patched']['line']}" if report["patched"] else ""
    )
    return f"pools doctor, pool {report['pool']}: {found}{patched}"
