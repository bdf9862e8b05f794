"""The examination of one program, in its own process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from pools.doctor.imports import Imports, is_own
from pools.doctor.order import Order, write_report
from pools.doctor.watch import Watch
from pools.errors import PatchError
from pools.patching import effects
from pools.patching.advice import missing
from pools.patching.audit import Audit, Finding, Place
from pools.patching.holders import Root
from pools.spec import PatchRequirement

#: What is found while it lasts, and is true although it is over at the end.
_PASSING = frozenset({"thread", "multiprocessing", "patch"})


class Session:
    """An examination: what is to be told of the program, and when it was looked at.

    Args:
        order: What to examine.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process = os.getpid()
        record = next((finder for finder in sys.meta_path if hasattr(finder, "links")), None)
        self._imports = Imports(getattr(record, "links", {}))
        self._patching = 0
        self._patched: Place | None = None
        self._passing: dict[tuple[str, str, str], Finding] = {}
        #: The uses of what cannot be used under the patch.
        self._uses: dict[tuple[str, Place], Finding] = {}
        self._lasting: list[Finding] = []
        self._exit: Callable[[int], NoReturn] = os._exit

    def begin(self) -> None:
        """Look at what the program does from now on."""
        wraps: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
            "pools.patching.apply:require": self._watch_opening
        }
        for patch in self._order.patches:
            for call in (f"{patch.module}:apply", *effects.told_by(patch, "CALLS", ())):
                wraps[call] = self._patch_watcher(patch)
            for name, what in effects.told_by(patch, "UNUSABLE", {}).items():
                module, _, kind = name.rpartition(".")
                wraps[f"{module}:{kind}.__init__"] = self._use_watcher(name, what)
        Watch(wraps).install()
        os._exit = self._end_at_once

    def end(self, code: int | None) -> None:
        """Look a last time, at the end of the program with an exit code; None while it is not known."""
        if os.getpid() != self._process:
            return
        if not self._is_patched():
            main = getattr(sys.modules["__main__"], "__file__", None)
            self._note_missing("__main__", Place(os.path.abspath(main), 1) if main else None)  # noqa: PTH100
        self._examine("end", code)

    def _end_at_once(self, status: int) -> NoReturn:
        self.end(status)
        self._exit(status)

    def _is_patched(self) -> bool:
        from pools.patching.apply import in_effect

        return all(in_effect(patch) for patch in self._order.patches)

    # -- What is watched -----------------------------------------------------------------------------------------------

    def _patch_watcher(self, patch: PatchRequirement) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
            def watched(*args: Any, **kwargs: Any) -> Any:
                with self._at_patch(patch, sys._getframe(1)):
                    return call(*args, **kwargs)

            return watched

        return wrap

    @contextmanager
    def _at_patch(self, patch: PatchRequirement, caller: FrameType) -> Iterator[None]:
        self._patching += 1
        try:
            with effects.noted(patch):
                yield
        finally:
            self._patching -= 1
        if self._patching == 0 and self._is_patched():
            self._patched = self._patched or _place_of_program(caller)
            self._examine("patch", None, caller)

    def _watch_opening(self, require: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                require(*args, **kwargs)
            except PatchError:
                if not self._is_patched():
                    frame = _frame_of_program(sys._getframe(1))
                    module = str(frame.f_globals.get("__name__")) if frame else "__main__"
                    self._note_missing(module, _place_of_program(sys._getframe(1)))
                raise
            if self._is_patched():
                self._examine("open", None, sys._getframe(1))

        return watched

    def _use_watcher(self, name: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrap(make: Callable[..., None]) -> Callable[..., None]:
            def watched(*args: Any, **kwargs: Any) -> None:
                if f"{type(args[0]).__module__}.{type(args[0]).__qualname__}" == name:
                    self._note_use(name, what, sys._getframe(1))
                make(*args, **kwargs)

            return watched

        return wrap

    def _note_use(self, name: str, what: str, frame: FrameType | None) -> None:
        """Note the use of what cannot be used, if it is the program's own and not that of a library."""
        while frame is not None and str(frame.f_globals.get("__name__")).startswith("multiprocessing."):
            frame = frame.f_back
        if frame is not None and is_own(frame.f_code.co_filename, str(frame.f_globals.get("__name__"))):
            module, place = str(frame.f_globals["__name__"]), Place(frame.f_code.co_filename, frame.f_lineno)
            finding = Finding(module, _name_of_code(frame), name, "multiprocessing", what, place)
            self._uses[name, place] = finding
            self._write("use", None)

    def _note_missing(self, module: str, place: Place | None) -> None:
        for patch in self._order.patches:
            what = missing(patch.name, self._order.pool)
            self._passing.setdefault((module, "", patch.name), Finding(module, "", patch.name, "patch", what, place))

    # -- What is told --------------------------------------------------------------------------------------------------

    def _examine(self, stage: str, code: int | None, caller: FrameType | None = None) -> None:
        if self._is_patched():
            found = Audit(self._order.patches).run(roots=_locals(caller))
            self._lasting = [finding for finding in found if not _passes(finding)]
            for finding in found:
                if _passes(finding):
                    self._passing.setdefault((finding.module, finding.attribute, finding.original), finding)
        self._write(stage, code)

    def _write(self, stage: str, code: int | None) -> None:
        write_report(
            self._order.report,
            {
                "patched": self._patched and self._patched._asdict(),
                "stage": stage,
                "exit_code": code,
                "stale": [self._tell(finding) for finding in self._findings()],
            },
        )

    def _findings(self) -> list[Finding]:
        """Return all that was found, and of what was used only that of which there is no more to tell."""
        lasting = {(finding.module, finding.original) for finding in self._lasting}
        passing = [finding for finding in self._passing.values() if (finding.module, finding.original) not in lasting]
        told = {(finding.original, finding.bound) for finding in passing}
        uses = [
            use for place, use in self._uses.items() if place not in told and (use.module, use.original) not in lasting
        ]
        return [*self._lasting, *passing, *uses]

    def _tell(self, finding: Finding) -> dict[str, Any]:
        cause = self._cause(finding)
        chain = self._imports.chain(cause.module)
        first = Place(chain[0].file, chain[0].line) if chain else None
        if first is None or finding.kind in ("multiprocessing", "patch"):
            first = cause.bound or first
        told = {name: value for name, value in finding._asdict().items() if name not in ("identity", "source")}
        return {
            **told,
            "bound": finding.bound and finding.bound._asdict(),
            "imported_by": first and first._asdict(),
            "chain": [link._asdict() for link in chain],
        }

    def _cause(self, finding: Finding) -> Finding:
        """Return the finding that one comes from: a module that was imported later has it from one that was early."""
        early = effects.early(self._order.patches)
        if early is None or finding.module in early or finding.module == "__main__":
            return finding
        others = [other for other in self._lasting if other.identity == finding.identity and other.module in early]
        return next((other for other in others if other.module == finding.source), next(iter(others), finding))


def _passes(finding: Finding) -> bool:
    return finding.kind in _PASSING or "<locals>" in finding.attribute


def _frame_of_program(frame: FrameType | None) -> FrameType | None:
    while frame is not None and not is_own(frame.f_code.co_filename, str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return frame


def _place_of_program(frame: FrameType | None) -> Place | None:
    """Return the innermost line of the program's own code that led here."""
    frame = _frame_of_program(frame)
    return Place(frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


def _name_of_code(frame: FrameType) -> str:
    name = frame.f_code.co_qualname
    return "" if name == "<module>" else name


def _locals(frame: FrameType | None) -> Iterator[Root]:
    """Yield what functions of the program that are running have in their local variables."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if frame.f_code.co_name != "<module>" and is_own(frame.f_code.co_filename, module):
            for name, value in list(frame.f_locals.items()):
                yield Root(value, module, f"{frame.f_code.co_qualname}.<locals>.{name}")
        frame = frame.f_back
