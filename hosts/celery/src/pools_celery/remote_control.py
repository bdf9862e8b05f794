"""Remote control of workers whose tasks may hold the worker itself up: of greenlets that compute, or that run inline.

Celery reads what it is told in its own loop, which gets no turn then. Here a native thread reads it, on a connection of
its own. It hands all of it to that loop, where Celery's handlers belong; and if nobody there has taken it after a
while, does itself what needs nothing of the loop: it answers ``ping`` and what is asked about tasks, notes which of
them are revoked, and ends those that are to be terminated, whereupon the loop gets to the rest.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from celery import bootsteps
from celery.utils.collections import AttributeDict
from celery.utils.functional import maybe_list
from celery.utils.log import get_logger
from celery.worker.consumer import Control
from celery.worker.control import Panel
from celery.worker.pidbox import Pidbox
from celery.worker.state import revoked
from kombu import pidbox

from pools_celery import locks

if TYPE_CHECKING:
    from pools_celery.taskpool import TaskPool

log = get_logger(__name__)

#: Seconds that Celery's loop has to take a command: a client waits for one, unless it is told otherwise.
_GRACE = 0.25
#: The commands that only look at what Celery notes of tasks.
_ANSWERED = ("ping", "active", "reserved", "query_task", "revoked")
#: Seconds between two looks whether the thread is to end.
_TURN = 1.0
#: Seconds from the loss of a connection to the next one.
_RETRY = 1.0


class RemoteControl(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """A part of the consumer that puts :class:`ControlBox` in the place of Celery's."""

    requires = (Control,)

    def include_if(self, c: Any) -> bool:
        """Whether there is remote control, and the pool is one of ours that calls for this."""
        self._controls = [step for step in c.steps if isinstance(step, Control)]
        return bool(self._controls) and getattr(c.pool, "tasks_may_hold_worker", False)

    def create(self, c: Any) -> None:
        """Put it there."""
        box = ControlBox(c)
        for control in self._controls:
            control.box, control.start, control.stop, control.shutdown = box, box.start, box.stop, box.stop


class ControlBox(Pidbox):  # type: ignore[misc]  # celery has no types
    """What Celery's consumer starts and stops; deals with commands, one after another, in Celery's loop."""

    def __init__(self, c: Any) -> None:
        super().__init__(c)
        #: What nobody has dealt with yet, in the order in which it came. Whoever takes one out of here deals with it.
        self.commands: deque[Command] = deque()
        self._is_handling = False
        self._listener: Listener | None = None

    def start(self, c: Any) -> None:
        """Listen."""
        locks.make_native(c.app.control.mailbox)
        self._listener = Listener(self, c.app, c.pool)
        c.pool.start_thread(self._listener.run)

    def stop(self, c: Any) -> None:
        """Listen no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def reset(self) -> None:
        """Nothing: it is for when a command has failed, and the connection that Celery would make anew is ours."""

    def handle(self) -> None:
        """Deal with what there is."""
        if self._is_handling:
            return
        self._is_handling = True
        try:
            while self.commands:
                try:
                    command = self.commands.popleft()
                except IndexError:  # the listener took it
                    break
                self.on_message(command.body, command.message)
        finally:
            self._is_handling = False


@dataclass(eq=False)
class Command:
    """Something that the worker was told, and when, in seconds of ``time.monotonic()``."""

    body: dict[str, Any]
    message: Any
    came_at: float


class Listener:
    """The thread that listens.

    It logs by way of Celery's loop: the locks of log handlers may be those of greenlets.
    """

    def __init__(self, box: ControlBox, app: Any, pool: TaskPool) -> None:
        self._box = box
        self._app = app
        self._pool = pool
        self._node = self._new_node()
        #: The commands that Celery's loop may still take in time.
        self._recent: deque[Command] = deque()
        self._over = False
        self._gone = pool.new_event()

    def stop(self) -> None:
        """End it, and wait for that."""
        self._over = True
        self._gone.wait()

    def run(self) -> None:
        """Listen, on one connection after another. In a native thread."""
        try:
            while not self._over:
                connection = self._app.connection_for_read()
                try:
                    with connection:
                        self._listen(connection)
                except (*connection.connection_errors, *connection.channel_errors) as error:
                    self._pool.call_in_worker(
                        log.warning, "Remote control is deaf for a moment: %r on %s", error, connection.as_uri()
                    )
                    time.sleep(_RETRY)
        finally:
            self._gone.set()

    def _listen(self, connection: Any) -> None:
        # Each of the brokers that were given, once.
        tries = max(1, len(connection.alt))
        connection.ensure_connection(None, tries, interval_start=0, interval_step=0, reraise_as_library_errors=False)
        # Celery's own node answers by a producer of the application, and asks only whether there is a channel.
        self._node.channel = self._box.node.channel = connection.channel()
        consumer = self._box.node.listen(callback=self._on_message)
        consumer.on_decode_error = functools.partial(self._pool.call_in_worker, self._node.on_decode_error)
        self._pool.call_in_worker(log.info, "pidbox: Connected to %s.", connection.as_uri())
        while not self._over:
            with contextlib.suppress(TimeoutError):
                connection.drain_events(timeout=_GRACE if self._recent else _TURN)
            while self._recent and time.monotonic() >= self._recent[0].came_at + _GRACE:
                self._help(self._recent.popleft())

    def _on_message(self, body: dict[str, Any], message: Any) -> None:
        command = Command(body, message, time.monotonic())
        self._recent.append(command)
        self._box.commands.append(command)
        self._pool.call_in_worker(self._box.handle)

    # -- While a task holds the worker up ------------------------------------------------------------------------------

    def _help(self, command: Command) -> None:
        """Do of a command what can be done here, if nobody has taken it.

        One to which there is an answer is taken for that; the others stay.
        """
        if command not in self._box.commands:
            return
        answer = self._node.handle_message(command.body, command.message)
        if answer is None:
            return
        try:
            self._box.commands.remove(command)
        except ValueError:  # the loop took it meanwhile, and answers
            return
        if reply_to := command.body.get("reply_to"):
            answer = {self._node.hostname: answer}
            self._node.reply(answer, reply_to["exchange"], reply_to["routing_key"], command.body.get("ticket"))

    def _new_node(self) -> Any:
        mailbox = copy.copy(self._app.control.mailbox)
        mailbox.node_cls = _Node
        # Its answers go out on the thread's own connection.
        mailbox.producer_pool = None
        node = self._box.node
        handlers = {
            **{name: Panel.data[name] for name in _ANSWERED},
            "revoke": self._revoke,
            "terminate": functools.partial(self._revoke, terminate=True),
        }
        return mailbox.Node(node.hostname, AttributeDict(node.state), handlers=handlers)

    def _revoke(self, _state: Any, task_id: Any, terminate: bool = False, **_: Any) -> Any:
        ids = maybe_list(task_id) or []
        revoked.update(ids)
        refusal = self._pool.end_tasks(ids) if terminate else ""
        if not refusal:
            return None
        self._pool.call_in_worker(log.warning, "Tasks %s are not terminated: %s", ids, refusal)
        return {"error": refusal}


class _Node(pidbox.Node):  # type: ignore[misc]  # kombu has no types
    """A node that neither logs nor sends its answers."""

    def dispatch(self, method: str, arguments: Any = None, **_: Any) -> Any:
        """Return the answer to a command; None if there is none here."""
        if method not in self.handlers:
            return None
        try:
            return self.handle(method, arguments)
        except Exception:
            # Its arguments are wrong, or Celery's loop goes on and has changed what was being gone through. Nobody has
            # taken it, so the loop will come to it, and tell what there is to tell.
            return None
