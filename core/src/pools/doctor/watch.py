"""Functions that are wrapped as soon as their module has been imported, before anybody else has them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


class Watch:
    """A finder that finds modules as the next ones do, and wraps what they define.

    Args:
        wraps: What wraps each thing, by ``"module:attribute"`` or ``"module:Class.method"``.
    """

    def __init__(self, wraps: Mapping[str, Wrap]) -> None:
        self._wraps: dict[str, list[tuple[str, Wrap]]] = {}
        for reference, wrap in wraps.items():
            module, _, attribute = reference.partition(":")
            self._wraps.setdefault(module, []).append((attribute, wrap))

    def install(self) -> None:
        """Wrap what has been imported, and from now on what is."""
        sys.meta_path.insert(0, self)
        for name in self._wraps:
            if name in sys.modules:
                self._wrap(sys.modules[name])

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find one of the modules, with a loader that wraps; None for any other."""
        if name not in self._wraps:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                self._watch_loader(spec.loader)
                return spec
        return None

    def _watch_loader(self, loader: Any) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            self._wrap(module)

        loader.exec_module = exec_module

    def _wrap(self, module: ModuleType) -> None:
        for path, wrap in self._wraps[module.__name__]:
            *owners, name = path.split(".")
            owner: Any = functools.reduce(getattr, owners, module)
            if hasattr(owner, name):
                original = getattr(owner, name)
                setattr(owner, name, functools.wraps(original)(wrap(original)))
