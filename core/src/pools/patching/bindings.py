"""Where in its source a module gives a name to something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple


class Binding(NamedTuple):
    """A statement that gives a name.

    Attributes:
        line: Its line.
        is_import: It is an import.
        source: The module that it imports from, as it is written there; None if it does not.
        call: The name of the function whose value it assigns; None if it does not.
    """

    line: int
    is_import: bool
    source: str | None
    call: str | None


class Bindings:
    """The names of modules, of which each source is read once."""

    def __init__(self) -> None:
        self._bodies: dict[str, list[ast.stmt]] = {}

    def find(self, file: str | None, attribute: str) -> Binding | None:
        """Return where an attribute of a module is given its name: the last such statement, or that of what it is in.

        Args:
            file: The module's source; None if it has none.
            attribute: An expression that begins with a name of the module.
        """
        body: Iterable[ast.stmt] = self._body(file) if file else ()
        found = None
        for name in re.split(r"[.\[(<]", attribute):
            statement = _binding(body, name)
            if statement is None:
                break
            found = Binding(
                statement.lineno,
                isinstance(statement, ast.Import | ast.ImportFrom),
                _source(statement),
                _call(statement),
            )
            body = statement.body if isinstance(statement, ast.ClassDef) else ()
        return found

    def _body(self, file: str) -> list[ast.stmt]:
        if file not in self._bodies:
            try:
                self._bodies[file] = ast.parse(Path(file).read_bytes()).body
            except (OSError, SyntaxError, ValueError):
                self._bodies[file] = []
        return self._bodies[file]


def _source(statement: ast.stmt) -> str | None:
    if not isinstance(statement, ast.ImportFrom):
        return None
    return "." * statement.level + (statement.module or "")


def _call(statement: ast.stmt) -> str | None:
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Call):
        return None
    return ast.unparse(value.func).rpartition(".")[2]


def _binding(body: Iterable[ast.stmt], name: str) -> ast.stmt | None:
    """Return the last statement that binds a name; else the last ``from … import *``, which may."""
    found = star = None
    for statement in _statements(body):
        names = set(_names(statement))
        if name in names:
            found = statement
        elif "*" in names:
            star = statement
    return found or star


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a body in order, those of its branches and blocks too.

    Of a function there are the statements that bind what it declares global.
    """
    for statement in body:
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _global_statements(statement)
        elif not isinstance(statement, ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, field, ()))
            for part in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                yield from _statements(part.body)


def _global_statements(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.stmt]:
    inner = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function]
    names = {name for node in inner if isinstance(node, ast.Global) for name in node.names}
    for statement in inner if names else ():
        if names & set(_names(statement)):
            yield statement


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement itself gives."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            yield alias.asname or alias.name.partition(".")[0]
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    else:
        for field in ("targets", "target", "items", "value", "test"):
            parts = getattr(statement, field, None)
            for part in parts if isinstance(parts, list) else [parts]:
                if isinstance(part, ast.AST):
                    yield from _stored(part)


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that an expression stores, those of an item that is set (``LOCKS["x"] = …``) among them."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
