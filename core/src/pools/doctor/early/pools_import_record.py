"""Who imported what: a record of every import of a process, from before the first line that is the user's.

Nothing is imported here beyond ``sys``, and this folder is not on the path afterwards.
"""

import sys


class ImportRecord:
    """A finder that finds nothing, and notes for which module it was asked and by which lines.

    Attributes:
        links: For each module, the imports that led to it, the outermost first: the file, the line and the name of the
            module whose code that is.
    """

    def __init__(self):
        self.links = {}

    def find_spec(self, name, path=None, target=None):
        """Note an import; None lets the other finders go on. A reload has a target, and is no first import."""
        if target is None:
            self.links[name] = _links(sys._getframe(1))
        return

    def invalidate_caches(self):
        """There are none."""


def _links(frame):
    links, imports = [], True
    while frame is not None:
        file = frame.f_code.co_filename
        if _is_machinery(frame, file):
            imports = True
        elif imports:
            links.append(_line_of_pth(frame) or (file, frame.f_lineno, str(frame.f_globals.get("__name__"))))
            imports = False
        frame = frame.f_back
    return tuple(reversed(links))


def _is_machinery(frame, file):
    if file.startswith("<frozen importlib."):
        return True
    return frame.f_code.co_name == "import_module" and frame.f_globals.get("__name__") == "importlib"


def _line_of_pth(frame):
    """Return where a line of a .pth file stands, which ``site`` executes, if that is what the frame runs."""
    caller = frame.f_back
    if caller is None or caller.f_code.co_name != "addpackage" or caller.f_globals.get("__name__") != "site":
        return None
    names = caller.f_locals
    file, line = names.get("fullname"), names.get("line")
    try:
        with open(file, "rb") as lines:  # noqa: PTH123 - pathlib would be recorded as imported by this
            for number, text in enumerate(lines, 1):
                if text.decode("utf-8", "replace").rstrip() == line.rstrip():
                    return file, number, "site"
    except OSError:
        pass
    return file, 0, "site"
