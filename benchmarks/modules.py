"""What a module of a real program has in it, on average: ``python -m benchmarks.modules``.

The modules of :mod:`benchmarks.audit` are made after it.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import pkgutil
import sys
import types
import warnings
from collections.abc import Iterable
from typing import Any

#: Packages whose modules are imported, with all that they import.
PACKAGES = ("celery", "sphinx")


def import_all(package: str) -> None:
    """Import whatever of a package can be imported here."""
    for found in pkgutil.walk_packages(
        importlib.import_module(package).__path__, f"{package}.", onerror=lambda _: None
    ):
        if not found.name.endswith("__main__"):  # which would run
            with contextlib.suppress(Exception):  # what it needs is not installed
                importlib.import_module(found.name)


def share(functions: list[Any], attribute: str) -> str:
    """Return how many of some functions have something, in percent."""
    return f"{100 * sum(bool(getattr(function, attribute)) for function in functions) / len(functions):.0f} %"


def shape(modules: Iterable[types.ModuleType]) -> dict[str, str]:
    """Return what those modules have on average, by what it is."""
    spaces = [(module.__name__, list(vars(module).values())) for module in modules]
    classes = [(name, value) for name, values in spaces for value in values if issubclass(type(value), type)]
    functions = [(name, value) for name, values in spaces for value in values if type(value) is types.FunctionType]
    own = [value for name, value in classes if value.__dict__.get("__module__") == name]
    made = [value for name, value in functions if value.__module__ == name]
    methods = [part for value in own for part in vars(value).values() if type(part) is types.FunctionType]
    counts = {
        "names": sum(len(values) for _, values in spaces) / len(spaces),
        "functions of its own": len(made) / len(spaces),
        "functions of others": (len(functions) - len(made)) / len(spaces),
        "classes of its own": len(own) / len(spaces),
        "classes of others": (len(classes) - len(own)) / len(spaces),
        "attributes of such a class": sum(len(vars(value)) for value in own) / len(own),
        "methods among them": len(methods) / len(own),
    }
    kinds = {"__defaults__": "defaults", "__kwdefaults__": "keyword-only defaults", "__closure__": "a closure"}
    shares = {
        f"{what} with {name}": share(some, attribute)
        for what, some in (("functions", made), ("methods", methods))
        for attribute, name in kinds.items()
    }
    return {**{what: f"{count:.1f}" for what, count in counts.items()}, **shares}


def main() -> None:
    """Print it."""
    warnings.simplefilter("ignore")
    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):
        for package in PACKAGES:
            import_all(package)
    modules = [
        module
        for name, module in sys.modules.items()
        if type(module) is types.ModuleType and name.partition(".")[0] not in sys.stdlib_module_names
    ]
    print(f"{len(modules)} modules of {', '.join(PACKAGES)} and what they import; each has")
    for what, count in shape(modules).items():
        print(f"  {what:32} {count}")


if __name__ == "__main__":
    main()
