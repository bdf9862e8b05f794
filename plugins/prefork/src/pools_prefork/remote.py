"""What a job raised in its child, made into an exception of the host."""

from __future__ import annotations

import pickle

from pools.errors import RemoteError, RemoteTraceback
from pools_prefork.link import Link
from pools_prefork.messages import Raised, Reply


def error_of(reply: Reply, link: Link) -> BaseException:
    """The exception that a child replied with: the job's own, caused by a ``RemoteTraceback``.

    A ``RemoteError`` with that text stands for one that does not pickle there, or does not unpickle here.
    """
    raised = Raised(*link.load(reply))
    if raised.pickled is None:
        return RemoteError(f"what the job raised does not pickle: {raised.summary}\n{raised.text}")
    try:
        error = pickle.loads(raised.pickled)
    except BaseException as reason:  # unpickling calls what the exception says
        return RemoteError(f"what the job raised does not unpickle ({reason!r}): {raised.summary}\n{raised.text}")
    if not isinstance(error, BaseException):
        return RemoteError(f"what the job raised unpickles as {error!r}: {raised.summary}\n{raised.text}")
    error.__cause__ = RemoteTraceback(f"\n{raised.text}")
    return error
