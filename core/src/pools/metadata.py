"""Which of the installed distributions have entry points of ours, found fast where hundreds are installed.

``importlib.metadata`` makes an object of each, and reads by way of it, which takes longer than all the rest of opening
a pool. So the files of those that are in folders are read here, and only the few that are sought become such objects.
"""

# ruff: noqa: PTH123 - a Path for each of hundreds of files takes longer than to read them.

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

#: How the names of folders with metadata end, by the specifications of wheels and of eggs.
_INFO = (".dist-info", ".egg-info")


def distributions_with(prefix: str) -> Iterator[Distribution]:
    """Yield the distributions that have entry points in groups whose names begin with ``prefix``.

    Of several with one name, that on the earlier entry of ``sys.path`` is there for Python, and the others are not.
    """
    sought = f"[{prefix}".encode()
    #: By the name of each distribution, the first entry that has it.
    places: dict[str, str] = {}
    found = set()
    for place, name, text, distribution in _installed():
        if places.setdefault(name, place) == place and (name, place) not in found and sought in text:
            found.add((name, place))
            yield Distribution.at(Path(distribution)) if isinstance(distribution, str) else distribution


def _installed() -> Iterator[tuple[str, str, bytes, Distribution | str]]:
    """Yield where each distribution is, its name, its entry points as text, and itself or where its metadata are."""
    for entry in sys.path:
        place = os.path.realpath(entry)
        if Path(place).is_dir() and not place.endswith(".egg"):
            for info in _listed(place):
                if info.name.lower().endswith(_INFO):
                    name = info.name.rpartition(".")[0].partition("-")[0]
                    yield place, _normalized(name), _read(info), info.path
        else:
            yield from _found(place, [entry])
    # What finders know that do not look at paths.
    yield from _found("", [])


def _found(place: str, path: list[str]) -> Iterator[tuple[str, str, bytes, Distribution]]:
    for distribution in distributions(path=path):
        metadata: Any = distribution.metadata  # a message of the email package, which its type does not say
        text = distribution.read_text("entry_points.txt") or ""
        yield place, _normalized(metadata.get("Name", "")), text.encode(), distribution


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _read(info: os.DirEntry[str]) -> bytes:
    try:
        with open(f"{info.path}/entry_points.txt", "rb") as file:
            return file.read()
    except OSError:  # most have none
        return b""


def _normalized(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")
