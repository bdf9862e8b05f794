"""Every kind of defect is found, with where it is and who imported it too early; patched first, there is none.

A line of the corpus that has a defect says so: ``# stale: attribute | original | kind``, for one pool alone
``# stale(gevent): …``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.doctor.doctor import POOLS, examine

CORPUS = Path(__file__).with_name("corpus")
STALE = re.compile(r"# stale(?:\((\w+)\))?: (.+?) \| (.+?) \| (.+?)\s*(?=#|$)")
IMPORT = re.compile(r'^(?:import |load\(")(\w+)')


class Defect(NamedTuple):
    """A defect: where it is, what it holds, and the lines where it is bound and imported."""

    module: str
    attribute: str
    original: str
    kind: str
    bound: int | None
    imported_by: int | None


def expected(pool: str) -> set[Defect]:
    """Return what the corpus says of itself."""
    found = set()
    for file in CORPUS.rglob("*.py"):
        module = ".".join(file.relative_to(CORPUS).with_suffix("").parts)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for only, attribute, original, kind in STALE.findall(line):
                if only in ("", pool):
                    found.add(Defect(module, attribute, original, kind, number, import_of(module)))
    return found


def import_of(module: str) -> int:
    """Return the line of the main program that imports a module of the corpus."""
    # What was imported after the patch has what it has from a module that was imported before.
    top = "from_imports" if module == "late" else module.partition(".")[0]
    lines = enumerate((CORPUS / "main.py").read_text().splitlines(), 1)
    return next(number for number, line in lines if (match := IMPORT.match(line)) and match[1] == top) + (
        0 if top != "lazily" else import_in_function() - call_of_function()
    )


def import_in_function() -> int:
    """Return the line of the function that imports for its caller."""
    return 1 + next(
        i for i, line in enumerate((CORPUS / "main.py").read_text().splitlines()) if "return import" in line
    )


def call_of_function() -> int:
    """Return the line of its call."""
    return 1 + next(i for i, line in enumerate((CORPUS / "main.py").read_text().splitlines()) if line[:5] == "load(")


@pytest.mark.parametrize("pool", POOLS)
def test_every_defect_is_found_with_the_import_at_fault(pool: str) -> None:
    report = examine(CORPUS, pool, "main.py", pool)
    found = {
        Defect(
            stale["module"],
            stale["attribute"],
            stale["original"],
            stale["kind"],
            stale["bound"]["line"] if stale["bound"] else None,
            stale["imported_by"]["line"] if stale["imported_by"] else None,
        )
        for stale in report["stale"]
    }
    wanted = expected(pool)
    assert found - wanted == set()
    assert wanted - found == set()
    assert len(wanted) > 60
    assert {stale["imported_by"]["file"] for stale in report["stale"]} == {str(CORPUS / "main.py")}


@pytest.mark.parametrize("pool", POOLS)
def test_patched_first_there_is_nothing_to_find(pool: str) -> None:
    assert examine(CORPUS, pool, "mended.py", pool)["stale"] == []


def test_the_chain_leads_from_the_program_to_the_module() -> None:
    report = examine(CORPUS, "gevent", "main.py", "gevent")
    chains = {stale["module"]: stale["chain"] for stale in report["stale"]}
    assert [(Path(link["file"]).name, link["line"], link["module"]) for link in chains["shop.deep.orders"]] == [
        ("main.py", import_of("shop"), "__main__"),
        ("__init__.py", 2, "shop"),
    ]
