"""What to do about each kind of finding."""

from __future__ import annotations

from collections.abc import Mapping

_EARLIER = "apply the patch before this import"
_ADVICE = {
    "module global": f"{_EARLIER}, or import {{module}} and write {{original}} where it is called",
    "attribute": f"{_EARLIER}, or look {{original}} up when it is called",
    "item": f"{_EARLIER}, or put {{original}} there after it",
    "base class": f"{_EARLIER}: a class keeps the bases that it was made with",
    "class attribute": f"{_EARLIER}, or look {{original}} up when it is called",
    "function default": f"{_EARLIER}, or make the default None and look {{original}} up when it is called",
    "closure": f"{_EARLIER}, or make the function after it",
    "functools.partial": f"{_EARLIER}, or make the partial after it",
    "instance": "make it after the patch: an object of {original} that was made before blocks the whole process",
    "thread": "start it after the patch: it runs beside the greenlets, and what it shares with them is not safe",
}


def advice(kind: str, original: str, unusable: Mapping[str, str]) -> str:
    """Return what to do about something that was found.

    Args:
        kind: The kind of the place.
        original: What is held there.
        unusable: What cannot be used under the patch, with what to do instead.
    """
    return (
        unusable[original]
        if kind == "multiprocessing"
        else _ADVICE[kind].format(original=original, module=original.rpartition(".")[0])
    )


def missing(patch: str, pool: str) -> str:
    """Return what to do about a patch that is not applied."""
    return (
        f"the program never applies the patch {patch}: run it with `pools exec -P {pool} yourscript.py`, or make "
        f"`import pools; pools.patch({pool!r})` its first line"
    )
