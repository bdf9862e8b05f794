"""What ``pools new`` writes: the folders beside this file have it, for a pool that is called yourpool.

``common`` has what every kind of pool has, and a file of the folder of a kind stands for the one of its path there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files as resources
from importlib.resources.abc import Traversable


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in the place of the names in the folders.

    Attributes:
        pool: The name of the pool.
        core_version: The version of the core that it is written for.
    """

    pool: str
    core_version: str

    def put_into(self, text: str) -> str:
        """Return a text with these names in it."""
        words = self.pool.split("-")
        for placeholder, name in (
            ("YourPool", f"{''.join(word.capitalize() for word in words)}Pool"),
            ("pools_yourpool", f"pools_{'_'.join(words)}"),
            ("yourpool", self.pool),
            ("CORE_VERSION", self.core_version),
        ):
            text = text.replace(placeholder, name)
        return text


def files(kind: str, names: Names) -> Iterator[tuple[str, str]]:
    """Yield each file of a distribution, as its path in the distribution's folder and its text.

    Args:
        kind: ``"thread"``, ``"process"`` or ``"green"``.
        names: What it is called.
    """
    here = resources(__name__)
    found = {**_texts(here / "common"), **_texts(here / kind)}
    for path, text in sorted(found.items()):
        yield names.put_into(path), names.put_into(text)


def _texts(folder: Traversable, path: str = "") -> dict[str, str]:
    texts: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            texts |= _texts(entry, f"{path}{entry.name}/")
        elif entry.is_file():
            texts[f"{path}{entry.name}"] = entry.read_text("utf-8")
    return texts
