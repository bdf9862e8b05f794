"""Which import brought a module in: the outermost one in the program's own code, and the chain down from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Whose code is the program's own although it lies among the installed packages.
_OWN = frozenset({"sitecustomize", "usercustomize", "site"})
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - compared with the text of other paths


@dataclass(frozen=True, slots=True)
class Link:
    """One import: its file and line, and the name of the module whose code that is."""

    file: str
    line: int
    module: str


class Imports:
    """The record of a process, read.

    Args:
        links: For each module, the imports that led to it, the outermost first.
    """

    def __init__(self, links: Mapping[str, Sequence[tuple[str, int, str]]]) -> None:
        self._links = links

    def chain(self, module: str) -> list[Link]:
        """Return the imports that led to a module, from the program's own outermost one to its own.

        Where no code of the program's own took part, those of installed packages count, and then all of them.
        """
        links = [Link(os.path.abspath(file), line, name) for file, line, name in self._links.get(module, ())]  # noqa: PTH100
        links = [link for link in links if not _is_ours(link)]
        for is_it in (is_own, _is_not_standard):
            start = next((position for position, link in enumerate(links) if is_it(link.file, link.module)), None)
            if start is not None:
                return links[start:]
        return links


def is_own(file: str, module: str) -> bool:
    """Return whether code is the program's own: of no installed package, and not of the standard library."""
    if module in _OWN and not (module == "site" and file.endswith(".py")):
        return True
    return _is_not_standard(file, module) and _INSTALLED.isdisjoint(Path(file).parts)


def _is_not_standard(file: str, module: str) -> bool:
    if file.startswith(_STANDARD) and _INSTALLED.isdisjoint(Path(file).parts):
        return False
    return "<" not in file.rpartition(os.sep)[2] and module.partition(".")[0] not in sys.stdlib_module_names | {"pools"}


def _is_ours(link: Link) -> bool:
    return link.module.partition(".")[0] == "pools" or link.module.startswith("pools_")
