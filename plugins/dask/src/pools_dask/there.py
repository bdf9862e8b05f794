"""What a worker of the cluster runs."""

from __future__ import annotations

import traceback
from typing import Any

import cloudpickle

from pools.errors import RemoteError, RemoteTraceback


def call(pickled: bytes) -> Any:
    """Make a call, pickled as (target, args, kwargs); what would end the worker, as SystemExit, is the job's error."""
    try:
        target, args, kwargs = cloudpickle.loads(pickled)
        return target(*args, **kwargs)
    except BaseException as error:
        text = "".join(traceback.format_exception(error))
        if isinstance(error, Exception) and _travels(error):
            # Dask hands over what it was raised from as well, which the text has and which need not travel.
            error.__context__ = None
            raise error.with_traceback(None) from RemoteTraceback(text)
        raise RemoteError(text) from None


def _travels(error: Exception) -> bool:
    """Whether an error can be handed over as it is."""
    try:
        cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:
        return False
    return True
