"""Every exception of pools, under one root.

Nothing is imported here, so that a plugin may raise and catch these before the standard library is patched.
"""

from __future__ import annotations


class PoolsError(Exception):
    """The root: ``except PoolsError`` catches whatever pools itself raises, and nothing else."""


# -- Using pools -------------------------------------------------------------------------------------------------------


class UsageError(PoolsError):
    """Something given by the user cannot be used as it is; a command that meets one exits with code 2."""


class ConfigError(UsageError):
    """A setting from the environment or from ``[tool.pools]`` has no meaning; names where it came from."""


class UnknownPoolError(UsageError, LookupError):
    """No installed plugin offers a pool of this name; the message has the close matches and the line to install it."""


class PluginError(UsageError):
    """A plugin is installed and cannot be used: it does not import, or what it declares is malformed or taken."""


class PatchError(UsageError):
    """A pool's patch is missing, too late, or conflicts with another one."""


class PoolStateError(PoolsError, RuntimeError):
    """The pool's state forbids this call; the message names the pool, its state and what to do."""


class UnsupportedError(PoolsError, NotImplementedError):
    """This pool does not do what was asked of it; the message names the pool and the trait that says so."""


class PoolFullError(PoolsError):
    """``max_queued`` jobs wait already, and the pool was told to refuse rather than to block."""


class BrokenPoolError(PoolsError):
    """The pool cannot go on: its ``initializer`` raised, or it can start no slot. Its cause is the original error."""


# -- How a job ended ---------------------------------------------------------------------------------------------------


class JobError(PoolsError):
    """The outcome of a job that did not end by itself."""


class SoftTimeLimitExceeded(JobError):
    """Raised inside a job whose ``soft_timeout`` has passed; the job may catch it, clean up and return."""


class TimeLimitExceeded(JobError):
    """The job's ``timeout`` has passed: its outcome.

    Attributes:
        seconds: The limit, in seconds from acceptance.
        stack: Where the job stood when the limit passed, as text; empty where the pool could not tell.
    """

    def __init__(self, message: str, *, seconds: float | None = None, stack: str = "") -> None:
        super().__init__(message)
        self.seconds = seconds
        self.stack = stack

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}\n{self.stack}" if self.stack else message


class WorkerLostError(JobError):
    """What ran the job went away before the job ended."""


class MemoryLimitExceeded(JobError):
    """The job's process had more memory than ``hard_memory_per_child`` allows, and was killed."""


class Terminated(JobError):
    """The job was ended from outside: ``job.terminate()``, ``pool.terminate_job()`` or ``pool.terminate()``."""


class Cancelled(JobError):
    """The job was cancelled before any slot accepted it."""


class RemoteError(JobError):
    """The job raised something that could not be handed over as it was; the message is the text of its traceback."""


class RemoteTraceback(PoolsError):
    """The text of a traceback from the process in which a job ran: the cause of the exception that the job raised."""


class StopJob(BaseException):
    """Thrown into a job whose outcome is settled already (its hard limit passed, or it was terminated) to end it.

    Not an ``Exception``, so that ``except Exception`` in a job does not keep it alive. Catching it gains nothing: the
    outcome stands, and the pool throws again.
    """


# -- Warnings ----------------------------------------------------------------------------------------------------------


class PluginWarning(UserWarning):
    """An installed extension cannot be used, and was left out."""


class PatchWarning(UserWarning):
    """A module was imported before a patch that should have come first."""
