"""Stands in for the standard ``site`` in a process of the doctor: records imports, and lets it go ahead.

The interpreter imports ``site`` before anything of the user's runs; what ``.pth`` files, ``sitecustomize`` and
``usercustomize`` import comes after it. This folder is on the path for that import only, and nothing is imported here
that the interpreter has not imported by then.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

Link = tuple[str, int, str, bool]


class ImportRecord:
    """A finder that finds nothing, and notes for which module it was asked and by which lines.

    Attributes:
        links: For each module, the calls that led to its import, the outermost first: the file, the line, the name of
            the module whose code that is, and whether it is an import itself.
    """

    def __init__(self) -> None:
        self.links: dict[str, tuple[Link, ...]] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Note an import; None lets the other finders go on. A reload has a target, and is no first import."""
        if target is None:
            self.links[name] = _links(sys._getframe(1))

    def invalidate_caches(self) -> None:
        """There are none."""


def _links(frame: FrameType | None) -> tuple[Link, ...]:
    links, imports = [], True
    while frame is not None:
        if _is_machinery(frame):
            imports = True
        else:
            file, line, name = _line_of_pth(frame) or (
                frame.f_code.co_filename,
                frame.f_lineno,
                str(frame.f_globals.get("__name__")),
            )
            links.append((file, line, name, imports))
            imports = False
        frame = frame.f_back
    return tuple(reversed(links))


def _is_machinery(frame: FrameType) -> bool:
    if frame.f_code.co_filename.startswith("<frozen importlib."):
        return True
    return frame.f_code.co_name == "import_module" and frame.f_globals.get("__name__") == "importlib"


def _line_of_pth(frame: FrameType) -> tuple[str, int, str] | None:
    """Return where a line of a .pth file stands, which ``site`` executes, if that is what the frame runs."""
    caller = frame.f_back
    if caller is None or caller.f_code.co_name != "addpackage" or caller.f_globals.get("__name__") != "site":
        return None
    file, line = str(caller.f_locals.get("fullname")), str(caller.f_locals.get("line")).rstrip()
    try:
        with open(file, "rb") as lines:  # noqa: PTH123 - pathlib would be imported by this, and not by the user
            texts = [text.decode("utf-8", "replace").rstrip() for text in lines]
    except OSError:
        texts = []
    return file, texts.index(line) + 1 if line in texts else 0, "site"


def _go_ahead() -> None:
    sys.path.remove(os.path.dirname(__file__))  # noqa: PTH120
    if "POOLS_DOCTOR_PYTHONPATH" in os.environ:
        os.environ["PYTHONPATH"] = os.environ.pop("POOLS_DOCTOR_PYTHONPATH")
    else:
        del os.environ["PYTHONPATH"]
    del sys.modules["site"]
    sys.meta_path.insert(0, ImportRecord())
    __import__("site")


_go_ahead()
