"""The children of a pool as processes: started, let go, killed and mourned, as the supervisor decides."""

from __future__ import annotations

import contextlib
import logging
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any, Protocol

from pools.errors import WorkerLostError
from pools.job import Job
from pools_prefork.actions import Action, Kill, Retire, Start, TakeBack
from pools_prefork.child_process import ChildProcess
from pools_prefork.link import Link
from pools_prefork.nurseries import Nurseries
from pools_prefork.obituary import OomKills, describe
from pools_prefork.process import Nursery
from pools_prefork.reactor import Reactor
from pools_prefork.reports import Died
from pools_prefork.roster import Child
from pools_prefork.supervisor import Supervisor
from pools_prefork.turn import Turn

log = logging.getLogger(__name__)

#: Seconds that children have to exit when the pool stops; then they are killed.
EXIT_SECONDS = 5.0
#: Seconds that they have when the pool is terminated.
TERM_SECONDS = 0.3


class Owner(Protocol):
    """Who is told of what happens to children. Never during a turn."""

    def on_word(self) -> None:
        """Word was left during a turn. On any thread."""

    def on_readable(self, child: Child) -> bool:
        """The child has written something; returns whether there may be more of it."""

    def on_lost(self, job: Job, began: float, child: Child, error: WorkerLostError) -> None:
        """The child has died in this job, which it had begun at ``began``."""

    def on_child_started(self, child: Child, pid: int) -> None:
        """The child is up."""

    def on_child_exited(self, child: Child, pid: int, reason: str) -> None:
        """The child is gone."""

    def on_broken(self, error: BaseException) -> None:
        """No child comes up."""


class Crew:
    """See the module.

    Args:
        name: The pool's name.
        supervisor: Who decides.
        reactor: Where descriptors are waited for.
        owner: Who is told.
        new_nursery: Makes a nursery, not started.

    Attributes:
        turn: Held by whoever looks at, or changes, what the supervisor knows.
        links: The host's ends of the children.
        processes: Their processes, of those that are born.
        restarts: How many children were replaced, by the reason.
        nurseries: Where they come from.
        bytes_in: How many bytes the children wrote that are gone.
        bytes_out: How many bytes were written to them.
    """

    def __init__(
        self, name: str, supervisor: Supervisor, reactor: Reactor, owner: Owner, new_nursery: Callable[[], Nursery]
    ) -> None:
        self._name = name
        self._supervisor = supervisor
        self._reactor = reactor
        self._owner = owner
        self.nurseries = Nurseries(name, reactor, self, new_nursery)
        self.turn = Turn(owner.on_word)
        self.links: dict[Child, Link] = {}
        self.processes: dict[Child, ChildProcess] = {}
        self.restarts: Counter[str] = Counter()
        self.bytes_in = self.bytes_out = 0
        #: Which children are still to go, and what to call then.
        self._replacing: list[tuple[set[Child], Callable[[], object]]] = []
        self._afterwards: deque[Callable[[], object]] = deque()
        self._failure: BaseException | None = None
        self._stopping = False
        #: Those that have said that they are up before their nursery said that they are born.
        self._early: set[Child] = set()
        self._oom_kills = OomKills()

    def start(self) -> None:
        """Start a nursery and the children."""
        self.nurseries.add()
        self.settle()

    @contextlib.contextmanager
    def deciding(self) -> Iterator[None]:
        """Have the turn; what the owner is to be told comes when it is over. On the loop's thread."""
        with self.turn:
            yield
        self.tell_afterwards()

    def tell_afterwards(self) -> None:
        """Tell the owner what is to be told now that the turn is over."""
        while self._afterwards:
            self._afterwards.popleft()()

    def afterwards(self, fn: Callable[..., object], *args: Any) -> None:
        """Call ``fn(*args)`` when the turn is over."""
        self._afterwards.append(lambda: fn(*args))

    # -- What the supervisor decides; in a turn ------------------------------------------------------------------------

    def perform(self, actions: Iterable[Action]) -> None:
        """Do what was decided."""
        for action in actions:
            if isinstance(action, Start):
                self._start(action.child)
            elif isinstance(action, Retire):
                link = self.links[action.child]
                link.add_retirement()
                link.flush()
            elif isinstance(action, Kill):
                log.warning("%s is killed: %s", self._label(action.child), action.reason)
                self.signal(action.child, signal.SIGKILL)
            elif isinstance(action, TakeBack):
                self.take_back(action.child, action.child.first + 1)
            else:
                error = self._failure or WorkerLostError(f"no child of pool {self._name} comes up")
                self.afterwards(self._owner.on_broken, error)
        self._reactor.set_alarm(self._supervisor.next_tick(monotonic()))

    def signal(self, child: Child, number: int) -> None:
        """Send a child a signal; one that is not born yet gets it then, if it is to be killed."""
        if process := self.processes.get(child):
            process.send(number)

    def take_back(self, child: Child, first: int) -> bool:
        """Take back the jobs from position ``first`` on; returns whether all of them were had back."""
        link = self.links[child]
        if not child.may_take_back(first, link.slate.claimed()):
            return False
        last = link.slate.revoke(first, child.sent + 1)
        boundary = max(first - 1, last)
        for job in list(child.hand)[boundary + 1 - child.first :]:
            link.take_back(job)
            job.slot_id = 0
        self._supervisor.taken_back(child, boundary)
        return boundary == first - 1

    def keep_in(self, child: Child, position: int) -> bool:
        """Have the child begin nothing after the job at this position; returns False if it has ended that job."""
        if position < child.last:
            self.take_back(child, position + 1)
        return self.links[child].slate.claimed() <= position

    def note_up(self, child: Child) -> None:
        """The child says that it is up; it gets no job before it is known by which process it can be reached."""
        if child not in self.processes:
            self._early.add(child)
            return
        self.perform(self._supervisor.up(child, monotonic()))
        self.afterwards(self._owner.on_child_started, child, self.processes[child].pid)

    def note_failure(self, error: BaseException) -> None:
        """A child says why it does not come up."""
        self._failure = error

    def _start(self, child: Child) -> None:
        try:
            link = Link()
        except OSError as error:
            self._failure = error
            self.afterwards(self.on_died, child, Died(child.number, reason=f"there is nothing to make it of: {error}"))
            return
        self.links[child] = link
        self._reactor.add_reader(link.replies, self._owner.on_readable, child)
        self.nurseries.bear(child, link.child_ends)

    # -- How many there are, and who goes ------------------------------------------------------------------------------

    def resize(self, size: int) -> None:
        """Have so many children from now on."""
        if not self._stopping:
            with self.deciding():
                self.perform(self._supervisor.resize(size, monotonic()))

    def settle(self) -> None:
        """Start and retire as many as it takes by now."""
        with self.deciding():
            self.perform(self._supervisor.settle(monotonic()))

    def replace_all(self, then: Callable[[], object]) -> None:
        """Have every child replaced, from this process as it is now; ``then()`` is called when that is done."""
        if self._stopping:
            then()
            return
        self.nurseries.add()
        with self.deciding():
            self._replacing.append((set(self.links), then))
            for child in list(self.links):
                self.perform(self._supervisor.replace(child, "restart", monotonic()))

    def on_born(self, child: Child, process: ChildProcess) -> None:
        with self.deciding():
            self.processes[child] = process
            if child.killed is not None:
                self.signal(child, signal.SIGKILL)
            elif child in self._early:
                self._early.discard(child)
                self.note_up(child)

    def on_barren(self, error: BaseException) -> None:
        self.resize(0)  # nobody is asked for any more
        self._owner.on_broken(error)

    def on_died(self, child: Child, death: Died) -> None:
        while self._owner.on_readable(child):  # what it has written before
            pass
        with self.deciding():
            left, process = list(child.hand), self.processes.pop(child, None)
            pid = process.pid if process is not None else 0
            begun, began = self._close_link(child)
            job, actions = self._supervisor.exited(child, begun, monotonic())
            for waits in left:
                if waits is not job:
                    waits.slot_id = 0
            self._early.discard(child)
            how = self._tell_of_death(child, pid, death)
            if job is not None:
                error = WorkerLostError(f"{job} was lost: {self._label(child)} (pid {pid}) {how}")
                self.afterwards(self._owner.on_lost, job, began, child, error)
            self.perform(actions)
            self._note_gone(child)

    def _close_link(self, child: Child) -> tuple[int, float]:
        """Give back what the child was reached by; returns which position it had begun last, and when."""
        link = self.links.pop(child, None)
        if link is None:
            return 0, 0.0
        begun = link.slate.begun()
        self._reactor.remove_reader(link.replies)
        self._reactor.remove_writer(link.jobs)
        link.close()
        self.bytes_in += link.bytes_in
        self.bytes_out += link.bytes_out
        return begun

    def _tell_of_death(self, child: Child, pid: int, death: Died) -> str:
        """Log and count a death, and have the owner told; returns how it happened, in words."""
        how = death.reason or describe(death.exit_code, death.signal, death.peak_memory, self._oom_kills.any_since())
        if not (child.was_retired and child.due == "shrunk"):
            self.restarts["killed" if child.killed is not None else child.due or "died"] += 1
        if child.up_at is None and not child.was_retired and self._failure is None:
            why = f"was not up: {how}" if child.killed is None else f"was killed: {child.killed}"
            self._failure = WorkerLostError(f"{self._label(child)} (pid {pid}) {why}")
        if not child.was_retired and child.killed is None:
            log.error("%s (pid %d) %s", self._label(child), pid, how)
        self.afterwards(self._owner.on_child_exited, child, pid, child.killed or how)
        return how

    def _note_gone(self, child: Child) -> None:
        for children, then in list(self._replacing):
            children.discard(child)
            if not children:
                self._replacing.remove((children, then))
                self.afterwards(then)

    # -- The end -------------------------------------------------------------------------------------------------------

    def stop(self, kill: bool) -> None:
        """Have all children gone, and then the nurseries. Nothing is to happen meanwhile, but what they do."""
        self._stopping = True
        with self.deciding():
            self.perform(self._supervisor.resize(0, monotonic()))
            if kill:
                for child in self.links:
                    child.killed = child.killed or "the pool was terminated"
                    self.signal(child, signal.SIGTERM)
        if not self._reactor.wait(lambda: not self.links, TERM_SECONDS if kill else EXIT_SECONDS):
            with self.deciding():
                for child in self.links:
                    log.warning("%s is killed: it did not exit when the pool stopped", self._label(child))
                    child.killed = child.killed or "it did not exit when the pool stopped"
                    self.signal(child, signal.SIGKILL)
            self._reactor.wait(lambda: not self.links, EXIT_SECONDS)
        self._reactor.wait(lambda: not self._reactor.waits, EXIT_SECONDS)  # jobs that ended late
        self.nurseries.stop()

    def _label(self, child: Child) -> str:
        return f"{child} of pool {self._name}"
