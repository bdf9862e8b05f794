"""A world without processes around a real supervisor: model children that keep the slate's rules, and a host."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable

from pools_prefork.actions import Action, Break, Kill, Retire, Start, TakeBack
from pools_prefork.recycling import Recycling
from pools_prefork.roster import CHILD_MOVES, Child, ChildState
from pools_prefork.supervisor import Supervisor

#: What a model child reads at its end: exit.
RETIREMENT = 0
ALIVE_TIMEOUT, STALL_TIMEOUT = 10.0, 10.0
#: More steps than any of these worlds needs to come to rest.
ENOUGH = 400


class ModelChild:
    """What a child does, one small step at a time, so that the host can come between any two.

    Attributes:
        inbox: The jobs that were sent to it and that it has not read.
        outbox: What it has written and the host has not read: ``("up", 0)``, ``("ended", job)``, ``("skipped", at)``.
        claimed: The position that it claimed last.
        begun: The position of the job that it began last.
        running: The job that it runs.
        is_up: Whether it has come up.
        alive: Whether it is there.
    """

    def __init__(self, on_run: Callable[[int], object]) -> None:
        self.inbox: deque[int] = deque()
        self.outbox: deque[tuple[str, int]] = deque()
        self.claimed = self.begun = 0
        self.running: int | None = None
        self.is_up = False
        self.alive = True
        self._on_run = on_run
        self._position = self._skip_to = 0
        self._looking_at: int | None = None
        self._revoked = range(0)

    def revoke(self, first: int, end: int) -> int:
        """As :meth:`Slate.revoke`."""
        self._revoked = range(first, end)
        return self.claimed

    def step(self) -> None:
        """Do the next thing."""
        if not self.is_up:
            self.is_up = True
            self.outbox.append(("up", 0))
        elif self.running is not None:
            self.outbox.append(("ended", self.running))
            self.running = None
        elif self._looking_at is not None:
            self._look(self._looking_at)
        elif self.inbox:
            self._read(self.inbox.popleft())

    def _read(self, job: int) -> None:
        if job == RETIREMENT:
            self.alive = False
            return
        self._position += 1
        if self._position >= self._skip_to:
            self.claimed = self._position
            self._looking_at = job

    def _look(self, job: int) -> None:
        self._looking_at = None
        if self._position in self._revoked:
            self._skip_to = self._revoked.stop
            self.outbox.append(("skipped", self._position))
        else:
            self.begun = self._position
            self.running = job
            self._on_run(job)


class World:
    """A supervisor, its jobs, which are numbers from 1, and its children.

    Attributes:
        now: The time.
        runs: How often each job began to run.
        ended: The jobs that have ended, in whatever way: once each.
        cancelled: Those that were taken out before they began.
        lost: Those that were lost with their child.
        broken: Whether the supervisor has declared the pool broken.
        meanwhile: How many steps a child does between the host's look at its slate and the host's revocation.
    """

    def __init__(self, size: int, max_tasks: int | None = None, max_age: float | None = None) -> None:
        self.now = 100.0
        self.queue: deque[int] = deque()
        self.cancelled: set[int] = set()
        self.runs: Counter[int] = Counter()
        self.ended: set[int] = set()
        self.lost: set[int] = set()
        self.models: dict[Child, ModelChild] = {}
        self.broken = False
        self.accepted = self.meanwhile = 0
        recycling = Recycling(max_tasks, max_age)
        self.supervisor = Supervisor(
            size, self.queue, lambda job: job not in self.cancelled, recycling, ALIVE_TIMEOUT, STALL_TIMEOUT
        )
        self._states: dict[Child, ChildState] = {}
        self.perform(self.supervisor.settle(self.now))

    def pick(self, index: int) -> Child | None:
        """Some child; None if there is none."""
        children = list(self.models)
        return children[index % len(children)] if children else None

    # -- What the host does --------------------------------------------------------------------------------------------

    def submit(self, count: int) -> None:
        for _ in range(count):
            self.accepted += 1
            self.queue.append(self.accepted)

    def dispatch(self, refuse: Callable[[int], bool] = lambda job: False) -> None:
        """Send jobs; those that ``refuse`` is true of turn out not to pickle."""
        supervisor = self.supervisor
        asks_for_successor = False
        for child, jobs in supervisor.assign():
            sent = [job for job in jobs if not refuse(job)]
            for job in set(jobs) - set(sent):
                self.end(job)
            if sent:
                begins = not child.hand
                asks_for_successor |= supervisor.give(child, sent, self.now)
                self.models[child].inbox.extend(sent)
                # After a shrink more may still be at work, of whom none begins anew.
                assert not begins or self.count(lambda child: child.hand) <= supervisor.size
        if asks_for_successor:
            self.perform(supervisor.settle(self.now))

    def read(self, child: Child, count: int = ENOUGH) -> None:
        """Read so many messages of the child."""
        outbox = self.models[child].outbox
        ended = 0
        for _ in range(min(count, len(outbox))):
            kind, number = outbox.popleft()
            if kind == "up":
                self.perform(self.supervisor.up(child, self.now))
                for _ in range(2):  # as if it had ended some short jobs: it may have sixteen at a time
                    self.supervisor.replied(child, 1, 0.0, self.now)
            elif kind == "skipped":
                self.supervisor.skipped(child, number)
                self.perform(self.supervisor.settle(self.now))
            else:
                job = child.end_first()
                assert job == number
                self.end(job)
                ended += 1
        if ended:
            self.supervisor.replied(child, ended, ended * 0.001, self.now)
            self.perform(self.supervisor.settle(self.now))

    def mourn(self, child: Child) -> None:
        """Learn that a child is gone."""
        self.read(child)
        model = self.models.pop(child)
        lost, actions = self.supervisor.exited(child, model.begun, self.now)
        if lost is not None:
            assert self.runs[lost] == 1
            self.lost.add(lost)
            self.end(lost)
        self.perform(actions)

    def take_back(self, child: Child, first: int) -> bool:
        """As the crew does it."""
        model = self.models[child]
        if not child.may_take_back(first, model.claimed):
            return False
        for _ in range(self.meanwhile if model.alive else 0):
            model.step()
        boundary = max(first - 1, model.revoke(first, child.sent + 1))
        self.supervisor.taken_back(child, boundary)
        return boundary == first - 1

    def cancel(self, child: Child, index: int) -> None:
        """Cancel one of the jobs that a child has, if it has not begun it."""
        if child.hand:
            job = child.hand[index % len(child.hand)]
            if self.take_back(child, child.position_of(job)):
                self.cancelled.add(job)
                self.end(job)

    def tick(self, seconds: float) -> None:
        self.now += seconds
        self.perform(self.supervisor.tick(self.now))
        for child, model in list(self.models.items()):
            self.perform(self.supervisor.stalled(child, model.begun, self.now))

    def end(self, job: int) -> None:
        assert job not in self.ended, f"job {job} ended twice"
        self.ended.add(job)

    def perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Start):
                self.models[action.child] = ModelChild(lambda job: self.runs.update([job]))
                self._states[action.child] = ChildState.STARTING
            elif isinstance(action, Retire):
                assert not action.child.hand
                self.models[action.child].inbox.append(RETIREMENT)
            elif isinstance(action, Kill):
                self.models[action.child].alive = False
            elif isinstance(action, TakeBack):
                self.take_back(action.child, action.child.first + 1)
            else:
                assert isinstance(action, Break)
                self.broken = True

    # -- What is true of it --------------------------------------------------------------------------------------------

    def count(self, is_so: Callable[[Child], object]) -> int:
        return sum(1 for child in self.supervisor.children.values() if is_so(child))

    def check(self) -> None:
        """Check what is to be true at every moment."""
        supervisor = self.supervisor
        assert set(supervisor.children.values()) == set(self.models)
        places = Counter([*(job for job in self.queue if job not in self.cancelled), *self.ended])
        for child, model in self.models.items():
            places.update(child.hand)
            assert child.sent - child.first + 1 >= len(child.hand)
            assert (child.state is ChildState.BUSY) == bool(child.hand)
            assert _reachable(self._states[child], child.state)
            self._states[child] = child.state
            if model.running is not None:
                assert child.hand[0] == model.running or ("ended", child.hand[0]) in model.outbox
        assert places == Counter(range(1, self.accepted + 1)), "a job is in no place, or in two"
        assert not [job for job, runs in self.runs.items() if runs > 1], "a job ran twice"
        assert not self.cancelled & set(self.runs), "a job ran that had been taken back"
        assert self.count(_lasts) <= supervisor.size, "more children stay than there should be"

    def run_out(self) -> None:
        """Let time pass and every child do its work, until there is nothing to do; then all is as it was asked for."""
        for _ in range(ENOUGH):
            self.dispatch()
            for child, model in list(self.models.items()):
                for _ in range(20):
                    if model.alive:
                        model.step()
                self.read(child)
                if not model.alive:
                    self.mourn(child)
            self.tick(0.1)
            self.check()
            if self.is_at_rest():
                return
        raise AssertionError(f"{self.supervisor.children} do not come to rest; {len(self.queue)} jobs wait")

    def is_at_rest(self) -> bool:
        children = self.supervisor.children.values()
        still = all(child.works and child.due is None and not child.hand and not child.revoked for child in children)
        return still and len(children) == self.supervisor.size and len(self.ended) == self.accepted


def _lasts(child: Child) -> bool:
    return child.due is None and child.killed is None and child.state is not ChildState.RETIRING


def _reachable(before: ChildState, after: ChildState) -> bool:
    found = {before}
    while before_found := {state for known in found for state in CHILD_MOVES[known]} - found:
        found |= before_found
    return after in found
