"""The nurseries of a pool: the one that starts children, and those before it, which have children still."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from pools.errors import PoolsError, WorkerLostError
from pools_prefork.child_process import ChildProcess
from pools_prefork.descriptors import ChildDescriptors
from pools_prefork.obituary import describe
from pools_prefork.process import Nursery
from pools_prefork.reactor import Reactor
from pools_prefork.reports import Born, Died, NurseryDied
from pools_prefork.roster import Child

log = logging.getLogger(__name__)


class Parent(Protocol):
    """Who is told what becomes of the children that were asked for."""

    def on_born(self, child: Child, process: ChildProcess) -> None:
        """The child is there, as this process."""

    def on_died(self, child: Child, death: Died) -> None:
        """The child is gone, or could not be started."""

    def on_barren(self, error: BaseException) -> None:
        """No child can be started any more."""


class Nurseries:
    """See the module.

    Args:
        pool: The pool's name.
        reactor: Where their reports are waited for.
        parent: Who is told.
        new_nursery: Makes a nursery, not started.

    Attributes:
        start_method: How the last one starts children.
    """

    def __init__(self, pool: str, reactor: Reactor, parent: Parent, new_nursery: Callable[[], Nursery]) -> None:
        self._pool = pool
        self._reactor = reactor
        self._parent = parent
        self._new_nursery = new_nursery
        self._nurseries: list[Nursery] = []
        #: The children that were asked for and are not dead, by number, and where they come from.
        self._children: dict[int, Child] = {}
        self._origins: dict[int, Nursery] = {}
        self.start_method = ""

    def add(self) -> None:
        """Start another one, from this process as it is now, which starts the children from now on.

        Raises:
            UsageError: What the children are to be given cannot be pickled.
        """
        nursery = self._new_nursery()
        try:
            nursery.start()
        except BaseException:
            nursery.stop()
            raise
        self.start_method = nursery.start_method
        self._nurseries.append(nursery)
        self._reactor.add_reader(nursery.fileno(), self._on_reports, nursery)

    def bear(self, child: Child, descriptors: ChildDescriptors) -> None:
        """Have the last one start a child, and give it these."""
        self._children[child.number] = child
        self._origins[child.number] = self._nurseries[-1]
        self._nurseries[-1].bear(child.number, descriptors)

    def stop(self) -> None:
        """End all of them, and whatever children there are still."""
        for nursery in self._nurseries:
            self._stop(nursery)
        self._nurseries.clear()

    def _on_reports(self, nursery: Nursery) -> None:
        for report in nursery.reports():
            if isinstance(report, Born):
                self._parent.on_born(self._children[report.number], report.process)
            elif isinstance(report, Died):
                del self._origins[report.number]
                self._parent.on_died(self._children.pop(report.number), report)
            else:
                self._replace(nursery, report)
        for idle in self._nurseries[:-1]:
            if idle not in self._origins.values():
                self._nurseries.remove(idle)
                self._stop(idle)

    def _replace(self, nursery: Nursery, death: NurseryDied) -> None:
        how = death.reason or describe(death.exit_code, death.signal, 0, False)
        log.error("the nursery of pool %s died: %s", self._pool, how)
        if not nursery.has_borne and death.exit_code is not None:
            # It has met what the next one would meet as well.
            self._parent.on_barren(WorkerLostError(f"the nursery of pool {self._pool} could not begin: {how}"))
            return
        try:
            nursery.start()
        except (OSError, PoolsError) as error:
            self._parent.on_barren(error)

    def _stop(self, nursery: Nursery) -> None:
        self._reactor.remove_reader(nursery.fileno())
        nursery.stop()
