"""Outcomes of jobs as Celery knows them: by billiard's exceptions, inside ``ExceptionInfo``."""

from __future__ import annotations

import copyreg
from typing import Any

import billiard.exceptions
from billiard.einfo import ExceptionInfo

from pools import errors


class _Renamed(type):
    """The class of a class that goes by another's name, and so cannot be pickled by it."""


#: Those of billiard, which has no types.
_celery: Any = billiard.exceptions
_CelerysLimit: Any = _celery.SoftTimeLimitExceeded


class SoftTimeLimitExceeded(
    errors.SoftTimeLimitExceeded,
    _CelerysLimit,  # type: ignore[misc]
    metaclass=_Renamed,
):
    """What a soft limit raises in a task: tasks catch Celery's, and the pool knows it for its own.

    Wherever it is stored, sent or shown it is Celery's: who reads a result need not have this package.
    """

    def __reduce__(self) -> tuple[type[Exception], tuple[object, ...]]:
        return _CelerysLimit, self.args


def soft_time_limit_exceeded() -> type[SoftTimeLimitExceeded]:
    """Return the class: how a child that is a fresh interpreter gets it."""
    return SoftTimeLimitExceeded


SoftTimeLimitExceeded.__module__ = _CelerysLimit.__module__
copyreg.pickle(_Renamed, lambda _: (soft_time_limit_exceeded, ()))


def exception_info(error: BaseException, signal: int | None = None) -> ExceptionInfo:
    """What Celery is told of a job that ended in ``error``.

    Args:
        error: The outcome.
        signal: The signal with which its end was asked for, if it was terminated.
    """
    try:
        raise _translated(error, signal) from error.__cause__
    except BaseException:
        return ExceptionInfo()


def _translated(error: BaseException, signal: int | None) -> BaseException:
    if isinstance(error, errors.Terminated):
        return _made(_celery.Terminated, signal)
    if isinstance(error, errors.TimeLimitExceeded):
        return _made(_celery.TimeLimitExceeded, error.seconds)
    if isinstance(error, errors.SoftTimeLimitExceeded):
        return _made(_CelerysLimit, *error.args)
    if isinstance(error, errors.WorkerLostError | errors.MemoryLimitExceeded):
        return _made(_celery.WorkerLostError, str(error))
    # Of a task without memory Celery ends the whole worker; of what is no Exception not every version of it hears.
    if isinstance(error, MemoryError) or not isinstance(error, Exception):
        return _made(_celery.WorkerLostError, f"the task ended in {error!r}")
    return error


def _made(kind: type[BaseException], *args: object) -> BaseException:
    return kind(*args)
