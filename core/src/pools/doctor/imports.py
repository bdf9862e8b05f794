"""Which import brought a module in: the outermost one in the program's own code, and the chain down from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

#: Whose code is the program's own although it lies among the installed packages.
_OWN = frozenset({"sitecustomize", "usercustomize", "site"})
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - compared with the text of other paths
#: Which file of ours imports modules that the doctor is asked to examine.
_IMPORTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py")  # noqa: PTH100, PTH118, PTH120


class Link(NamedTuple):
    """One import: its file and line, and the name of the module whose code that is.

    It may also be a call, from which code that is not the program's own imports something only when it is needed.
    """

    file: str
    line: int
    module: str


#: The import of a module that the doctor's own command line names.
ASKED_FOR = Link("<command line>", 1, "__main__")


class Imports:
    """The record of a process, read.

    Args:
        links: For each module, the calls that led to it, the outermost first; of each whether it is an import itself.
    """

    def __init__(self, links: Mapping[str, Sequence[tuple[str, int, str, bool]]]) -> None:
        self._links = links

    def chain(self, module: str) -> list[Link]:
        """Return the imports that led to a module, from the program's own outermost one to its own.

        If the program's own code imports nothing that led there, what it calls last counts: that imports what it needs
        when it needs it. Where none of it took part, the imports of installed packages count, and then all of them.
        """
        calls = []
        for file, line, name, imports in self._links.get(module, ()):
            link = Link(os.path.abspath(file), line, name)  # noqa: PTH100
            if not _is_ours(link):
                calls.append((link, imports))
            elif imports and link.file == _IMPORTER:
                calls.append((ASKED_FOR, imports))
        imported = [position for position, (_, imports) in enumerate(calls) if imports]
        for candidates in (imported, range(len(calls) - 1, -1, -1)):
            for position in candidates:
                if is_own(calls[position][0].file, calls[position][0].module):
                    return [calls[position][0], *_imports(calls[position + 1 :])]
        links = _imports(calls)
        start = next((position for position, link in enumerate(links) if _is_not_standard(link.file, link.module)), 0)
        return links[start:]


def _imports(calls: Sequence[tuple[Link, bool]]) -> list[Link]:
    return [link for link, imports in calls if imports]


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
    return link.file == _IMPORTER or link.module.partition(".")[0] == "pools" or link.module.startswith("pools_")
