"""Jobs of the suite that look at themselves, by what ``pools`` tells a job; functions as those of ``targets``."""

from __future__ import annotations

import time
from time import monotonic
from typing import Any

from pools import Job, current_job, shield
from pools.errors import SoftTimeLimitExceeded
from pools.testing.targets import GIVE_UP, note, spend


class Deadline(SoftTimeLimitExceeded):
    """The name under which the jobs of a host know a soft limit."""


def job_here() -> Job:
    """The job that the calling code runs in."""
    job = current_job()
    assert job is not None, "current_job() is None inside a job"
    return job


def look_at_job() -> dict[str, Any]:
    """What a job can know of itself."""
    job = job_here()
    return {
        "id": job.id,
        "slot_id": job.slot_id,
        "accepted_at": job.accepted_at,
        "deadline": job.deadline,
        "correlation_id": job.correlation_id,
        "cancel_requested": job.cancel_requested,
    }


def wait_for_cancel_request() -> str:
    """Go on until somebody asks for the end."""
    job = job_here()
    give_up_at = monotonic() + GIVE_UP
    while not job.cancel_requested:
        if monotonic() > give_up_at:
            return "nobody asked"
        time.sleep(0.001)
    return "asked"


def near_limit(seconds: float, offset: float) -> float:
    """End ``offset`` seconds after ``seconds`` of the job; returns a time just before its end."""
    accepted_at = job_here().accepted_at
    assert accepted_at is not None
    when = accepted_at + seconds + offset
    while (now := monotonic()) < when:
        time.sleep(0)
    return now


def catch_soft_limit(seconds: float) -> str:
    """Clean up at the soft limit, and return."""
    try:
        spend(seconds)
    except SoftTimeLimitExceeded:
        spend(0.005)
        return "partial"
    return "complete"


def count_soft_limits(times: int, seconds: float) -> int:
    """Go on after each soft limit; returns how many there were."""
    caught = 0
    for _ in range(times):
        try:
            spend(seconds)
        except SoftTimeLimitExceeded:
            caught += 1
    return caught


def cross_soft_limit(seconds: float) -> None:
    """Make an error of its own of the soft limit."""
    try:
        spend(seconds)
    except SoftTimeLimitExceeded as error:
        raise KeyError("mine") from error


def outlast_soft_limit(seconds: float) -> None:
    """Catch the soft limit, and go on all the same."""
    try:
        spend(seconds)
    except SoftTimeLimitExceeded:
        spend(seconds)


def beat_on(log: str, seconds: float) -> None:
    """Leave signs of life, and catch whatever is an ``Exception``."""
    give_up_at = monotonic() + seconds
    while monotonic() < give_up_at:
        try:
            note(log, "alive")
            time.sleep(0.005)
        except Exception:
            continue


def shielded(seconds: float, after: float) -> list[str]:
    """Hold a soft limit off by two shields, one in the other, and then let it come; returns what happened, in order."""
    steps: list[str] = []
    try:
        with shield():
            with shield():
                spend(seconds)
                steps.append("inner")
            spend(0.002)
            steps.append("outer")
        spend(after)
        steps.append("after")
    except SoftTimeLimitExceeded:
        steps.append("limit")
    return steps


def shielded_for_ever(seconds: float) -> None:
    """Be in a critical section for too long."""
    with shield():
        spend(seconds)


def shield_again_and_again(seconds: float) -> int:
    """Enter and leave critical sections until the soft limit comes; returns how many it cut: none, if all is well."""
    cut, give_up_at, inside = 0, monotonic() + seconds, False
    try:
        while monotonic() < give_up_at:
            with shield():
                inside = True
                time.sleep(0)
                inside = False
    except SoftTimeLimitExceeded:
        cut += inside
    return cut
