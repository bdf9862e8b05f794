"""The states of a pool and of a job, and the moves between them that are legal."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class PoolState(enum.Enum):
    """Where a pool is in its life."""

    NEW = "new"
    RUNNING = "running"
    CLOSING = "closing"
    STOPPED = "stopped"


class JobState(enum.Enum):
    """Where a job is in its life; the last six are its outcome."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LOST = "lost"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


#: Which states a pool may go to from each state. A stopped pool may be started anew.
POOL_MOVES: Mapping[PoolState, frozenset[PoolState]] = {
    PoolState.NEW: frozenset({PoolState.RUNNING, PoolState.STOPPED}),
    PoolState.RUNNING: frozenset({PoolState.CLOSING}),
    PoolState.CLOSING: frozenset({PoolState.STOPPED}),
    PoolState.STOPPED: frozenset({PoolState.RUNNING}),
}

#: The states of a pool in which slots begin jobs.
WORKING = frozenset({PoolState.RUNNING, PoolState.CLOSING})

#: Which states a job may go to from each state. An outcome is final. A job that no slot accepted can be lost or
#: terminated as well, when its pool ends, and it can fail, when its pool cannot start it (an argument does not pickle).
JOB_MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.WAITING: frozenset(
        {JobState.ACCEPTED, JobState.CANCELLED, JobState.TERMINATED, JobState.LOST, JobState.FAILED}
    ),
    JobState.ACCEPTED: frozenset(
        {JobState.SUCCEEDED, JobState.FAILED, JobState.TIMED_OUT, JobState.LOST, JobState.TERMINATED}
    ),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.TIMED_OUT: frozenset(),
    JobState.LOST: frozenset(),
    JobState.TERMINATED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
