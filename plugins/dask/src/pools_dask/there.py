"""What a worker of the cluster runs, and how it tells what came of it.

Both ways go bytes. What Dask would pickle itself it pickles by rules of its own, under which some errors lose what they
say, and some values never come back.
"""

from __future__ import annotations

import traceback
from typing import Any

import cloudpickle

from pools.errors import RemoteError, RemoteTraceback


def call(pickled: bytes) -> bytes:
    """Make a call, pickled as (target, args, kwargs); what would end the worker, as SystemExit, is the job's error.

    Returns:
        For :func:`outcome`: (value, error, traceback), the error in parts, or None if it does not pickle.
    """
    told: bytes
    try:
        target, args, kwargs = cloudpickle.loads(pickled)
        told = cloudpickle.dumps((target(*args, **kwargs), None, ""))
    except BaseException as error:  # whatever the job raises is its outcome
        text = "".join(traceback.format_exception(error))
        told = cloudpickle.dumps((None, _in_parts(error), text))
    return told


def outcome(pickled: bytes) -> tuple[Any, Exception | None]:
    """The value that a call returned, or the error that it raised."""
    try:
        value, parts, text = cloudpickle.loads(pickled)
    except Exception as reason:  # whatever unpickling the value raises
        return None, RemoteError(f"what the job returned does not unpickle here: {reason!r}")
    if not text:
        return value, None
    error = None if parts is None else _from_parts(parts)
    if error is None:
        return None, RemoteError(f"what the job raised does not go from process to process:\n{text}")
    error.__cause__ = RemoteTraceback(f"\n{text}")
    return None, error


def _in_parts(error: BaseException) -> bytes | None:
    """An error as its class says to pickle it, and not as others have registered since."""
    try:
        return cloudpickle.dumps(error.__reduce__()) if isinstance(error, Exception) else None
    except Exception:  # whatever pickling raises
        return None


def _from_parts(pickled: bytes) -> Exception | None:
    try:
        make, args, *state = cloudpickle.loads(pickled)
        error = make(*args)
        if state and isinstance(error, Exception):
            error.__setstate__(state[0])
    except Exception:  # whatever unpickling raises
        return None
    return error if isinstance(error, Exception) else None
