"""What the host decides about its children and their jobs. Pure: no process, no descriptor, and the clock is passed in.

Events come in by the methods, and what is to be done comes out as actions, which :mod:`pools_prefork.driver` performs.
A job may be anything. Each child runs its jobs in the order in which it was sent them, so it is known of every job
where it is.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from pools_prefork.actions import Action, Break, Kill, Retire, Start, TakeBack
from pools_prefork.recycling import Budget, Recycling
from pools_prefork.roster import Child, ChildState

#: Seconds of work that a child is given ahead, so that between short jobs it does not wait for the host.
AHEAD = 0.01
#: The most jobs that a child is given ahead.
MOST_AHEAD = 2048
#: Seconds after which jobs are taken back from a child that is stuck in the one before them.
PATIENCE = 0.005

#: Seconds between two looks at what does not press: ages, children that do not come up, or do not begin.
IN_A_WHILE = 0.5

_STARTING, _IDLE = ChildState.STARTING, ChildState.IDLE


def _by_hand(child: Child) -> int:
    return len(child.hand)


class Supervisor:
    """Who gets which job; who is started, retired, killed.

    Args:
        size: How many children there should be.
        queue: The jobs that wait, in order; others may append to it.
        still_waits: Says of a job from the queue whether it is still to be run.
        recycling: When a child retires.
        alive_timeout: Seconds that a child has to come up, and one that retires to exit.
        stall_timeout: Seconds that an idle child has to begin a job that it was sent.
    """

    def __init__(
        self,
        size: int,
        queue: deque[Any],
        still_waits: Callable[[Any], bool],
        recycling: Recycling,
        alive_timeout: float,
        stall_timeout: float,
    ) -> None:
        self.size = size
        self.queue = queue
        self.children: dict[int, Child] = {}
        self.budget = Budget()
        self._still_waits = still_waits
        self._recycling = recycling
        self._alive_timeout = alive_timeout
        self._stall_timeout = stall_timeout
        self._next_number = 1

    # -- Jobs ----------------------------------------------------------------------------------------------------------

    def assign(self) -> Iterator[tuple[Child, list[Any]]]:
        """Take jobs from the queue for the children that can do with more.

        Whoever iterates says, by :meth:`give`, which of the jobs the child was really sent.
        """
        queue = self.queue
        # A child that is to be replaced still works while its successor is up.
        places = self.size
        ready = []
        for child in self.children.values():
            hand = len(child.hand)
            if hand:
                places -= 1
            if hand * 2 <= child.window and self._takes_jobs(child):
                ready.append(child)
        if len(ready) > 1:
            ready.sort(key=_by_hand)
        for left, child in zip(range(len(ready), 0, -1), ready, strict=True):
            if not queue:
                return
            if not child.hand:
                if places <= 0:
                    continue
                places -= 1
            # Nobody gets more than a fair share: who comes after it can do with more as well.
            count = min(child.window - len(child.hand), -(-len(queue) // left))
            tasks_left = self._recycling.tasks_left(child.tasks)
            jobs = self._take(count if tasks_left is None else min(count, tasks_left))
            if jobs:
                yield child, jobs

    def wants_jobs(self) -> bool:
        """Whether :meth:`assign` would find a child for a job that came now."""
        children = self.children.values()
        places = self.size - sum(1 for child in children if child.hand)
        return any(
            self._takes_jobs(child) and (len(child.hand) * 2 <= child.window if child.hand else places > 0)
            for child in children
        )

    def give(self, child: Child, jobs: list[Any], now: float) -> bool:
        """The child was sent these jobs.

        Returns:
            Whether they are its last ones, so that :meth:`settle` is to be asked, soon, for a successor.
        """
        child.give(jobs, now)
        if child.due is None and self._recycling.tasks_left(child.tasks) == 0:
            child.due = "tasks"
            return True
        return False

    def replied(self, child: Child, count: int, seconds: float, now: float) -> None:
        """The child has ended ``count`` jobs that took ``seconds`` in all: decide how many it may have at a time."""
        child.moved_at = now
        fitting = int(AHEAD * count / seconds) if seconds > 0 else MOST_AHEAD
        child.window = max(1, min(fitting, child.window * 4, MOST_AHEAD))

    def taken_back(self, child: Child, claimed: int) -> None:
        """What the child has behind position ``claimed`` was revoked."""
        child.revoked = True
        child.limbo = claimed >= child.sent == child.last
        self._put_back(child.take_back(claimed + 1))

    def skipped(self, child: Child, position: int) -> None:
        """The child has let go what was revoked, from this position on."""
        child.revoked = child.limbo = False
        self._put_back(child.take_back(position))

    def _takes_jobs(self, child: Child) -> bool:
        if not child.works or child.revoked or self._recycling.tasks_left(child.tasks) == 0:
            return False
        # One that was sent all its jobs, and had some of them taken back, has those to do still.
        return child.due is None or (child.due == "tasks" and bool(self.queue)) or self._lacks_successor(child)

    def _take(self, count: int) -> list[Any]:
        jobs: list[Any] = []
        while len(jobs) < count:
            try:
                job = self.queue.popleft()
            except IndexError:  # some of what waited had been cancelled
                break
            if self._still_waits(job):
                jobs.append(job)
        return jobs

    def _put_back(self, jobs: list[Any]) -> None:
        self.queue.extendleft(reversed(jobs))

    # -- Children ------------------------------------------------------------------------------------------------------

    def up(self, child: Child, now: float) -> list[Action]:
        """The child is up."""
        child.up_at = child.moved_at = now
        self.budget.succeed()
        if child.state is _STARTING:  # it may have been told to exit before
            child.move(_IDLE)
        return self.settle(now)

    def exited(self, child: Child, claimed: int, now: float) -> tuple[Any | None, list[Action]]:
        """The child is gone; the position that it had begun last was ``claimed``.

        Returns:
            The job that is lost with it, or None; and what to do. The jobs that it had not begun wait again.
        """
        began = child.hand and claimed >= child.first
        lost = child.hand[0] if began else None
        self._put_back(child.take_back(child.first + 1 if began else child.first))
        if child.state is _STARTING and child.killed is None:
            self.budget.fail(child.started_at, now)
        child.move(ChildState.EXITED)
        child.hand.clear()
        del self.children[child.number]
        return lost, self.settle(now)

    def replace(self, child: Child, reason: str, now: float) -> list[Action]:
        """The child is to be replaced, after its job."""
        if child.due is None:
            child.due = reason
        return self.settle(now)

    def resize(self, size: int, now: float) -> list[Action]:
        """There should be this many children from now on."""
        self.size = size
        return self.settle(now)

    def kill(self, child: Child, reason: str) -> list[Action]:
        """Have a child killed; it is replaced when it is gone."""
        if child.killed is not None:
            return []
        child.killed = reason
        return [Kill(child, reason)]

    def settle(self, now: float) -> list[Action]:
        """Start and retire as many as it takes."""
        actions: list[Action] = []
        lasting = [child for child in self.children.values() if child.due is None and self._counts(child)]
        # Those that are not up go first: else a pool that grows and shrinks all the time would never have one that is.
        lasting.sort(key=lambda child: (len(child.hand), child.up_at is not None))
        for child in lasting[: max(0, len(lasting) - self.size)]:
            child.due = "shrunk"
        missing = self.size - len(lasting)
        if missing > 0 and self.budget.exhausted:
            actions.append(Break())
        elif now >= self.budget.not_before:
            for _ in range(missing):
                child = Child(self._next_number, now)
                self._next_number += 1
                self.children[child.number] = child
                actions.append(Start(child))
        for child in list(self.children.values()):
            idle = child.state in (_IDLE, _STARTING) and child.killed is None and not child.revoked
            if child.due is not None and idle and not self._takes_jobs(child):
                child.move(ChildState.RETIRING)
                child.was_retired = True
                child.moved_at = now
                actions.append(Retire(child))
        return actions

    def tick(self, now: float) -> list[Action]:
        """See what time has brought about: children that do not come up, or exit, or are stuck, or have grown old."""
        actions: list[Action] = []
        idle = any(self._takes_jobs(child) and not child.hand for child in self.children.values())
        for child in list(self.children.values()):
            if child.killed is not None:
                continue
            if child.state is _STARTING and now - child.started_at >= self._alive_timeout:
                # Counted now, as its successor may be started before it is gone.
                self.budget.fail(child.started_at, now)
                actions += self.kill(child, f"it was not up after {self._alive_timeout} s")
            elif child.state is ChildState.RETIRING and now - child.moved_at >= self._alive_timeout:
                actions += self.kill(child, f"it did not exit within {self._alive_timeout} s")
            elif child.works and child.due is None and child.up_at is not None:
                child.due = self._recycling.reason(child.tasks, child.up_at, now)
            if len(child.hand) > 1 and not child.revoked and (idle or child.due) and now - child.moved_at >= PATIENCE:
                actions.append(TakeBack(child))
        return actions + self.settle(now)

    def next_tick(self, now: float) -> float:
        """When :meth:`tick` is to be called again, in seconds of ``time.monotonic()``; never, if it is infinity."""
        when = math.inf
        for child in self.children.values():
            if len(child.hand) > 1:
                return now + PATIENCE
            if child.hand or child.revoked or child.due or not child.works or self._recycling.max_age is not None:
                when = now + IN_A_WHILE
        if self.budget.not_before > now:
            when = min(when, self.budget.not_before)
        return when

    def stalled(self, child: Child, claimed: int, now: float) -> list[Action]:
        """Have a child killed that should long have begun its first job, or let go what it was sent.

        It has begun the job at ``claimed`` last.
        """
        waits = claimed < child.first if child.hand else child.revoked
        if waits and now - child.moved_at >= self._stall_timeout:
            return self.kill(child, f"it did not begin a job within {self._stall_timeout} s")
        return []

    def _counts(self, child: Child) -> bool:
        return child.killed is None and child.state is not ChildState.RETIRING

    def _lacks_successor(self, child: Child) -> bool:
        """Whether a child that is to be replaced goes on until those that stay are up."""
        if child.due in ("shrunk", "tasks"):
            return False
        return sum(1 for other in self.children.values() if other.works and other.due is None) < self.size
