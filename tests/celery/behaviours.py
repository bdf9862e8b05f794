"""What a worker does, behaviour by behaviour: each function tries one on a lab, and says in a few words what happened.

``WORKS`` is what it should say. The tests hold our pools to it, and the table in the documentation has the words.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded as SoftLimit
from celery.exceptions import TimeLimitExceeded as HardLimit
from celery.exceptions import TimeoutError, WorkerLostError

from tests.celery.lab import PATIENCE, Gate, Lab, is_alive, wait_for

WORKS = "works"


def _ends_in(lab: Lab, kind: type[BaseException], task: str, *args: Any, **options: Any) -> str:
    began = time.monotonic()
    try:
        value = lab.send(task, *args, **options).get(timeout=lab.soon + PATIENCE)
    except kind:
        taken = time.monotonic() - began
        return WORKS if taken < lab.soon else f"after {taken:.0f} s"
    except TimeoutError:
        return "never heard of"
    except Exception as error:
        return f"{type(error).__name__}"
    return f"ignored (gives {value!r})"


def hard_limit_waiting(lab: Lab) -> str:
    """A task that waits past its hard limit; ``task_failure`` is sent once."""
    result = lab.send("sleep", lab.soon + 1, time_limit=1)
    try:
        result.get(timeout=lab.soon + PATIENCE)
    except HardLimit:
        wait_for(lambda: lab.noted("failure").count(result.id) > 1, 0.5)
        count = lab.noted("failure").count(result.id)
        return WORKS if count == 1 else f"told {count} times"
    return "ignored"


def hard_limit_computing(lab: Lab) -> str:
    """A task that computes past its hard limit."""
    return _ends_in(lab, HardLimit, "spin", lab.soon + 1, time_limit=1)


def soft_limit_waiting(lab: Lab) -> str:
    """A task catches its soft limit as Celery's exception."""
    value = lab.send("clean_up", lab.soon + 1, soft_time_limit=1).get(timeout=lab.soon + PATIENCE)
    return WORKS if value == "cleaned up" else "ignored"


def soft_limit_computing(lab: Lab) -> str:
    """A task that computes past its soft limit."""
    return _ends_in(lab, SoftLimit, "spin", lab.soon + 1, soft_time_limit=1)


def _revoke(lab: Lab, computes: bool) -> str:
    gate = Gate(lab.folder)
    result = lab.send("hold", str(gate.path), computes)
    if not gate.has_begun(1):
        return "does not begin"
    options = {"destination": [lab.name], "reply": True, "timeout": lab.soon / 5}
    [answer] = lab.client.control.revoke(result.id, terminate=True, **options) or [{}]
    ended = wait_for(result.ready, lab.soon)
    gone = ended and wait_for(lambda: not lab.active(), lab.soon)
    gate.open()
    if not ended:
        # A worker that could not listen hears of it once the task has computed, and may tell that.
        if "cannot" in str(answer):
            return "refused"
        return f"ignored (gives {result.get(timeout=PATIENCE, propagate=False)!r})"
    return WORKS if result.status == "REVOKED" and gone else f"{result.status}, {'gone' if gone else 'goes on'}"


def revoke_waiting(lab: Lab) -> str:
    """``revoke(terminate=True)`` of a task that waits."""
    return _revoke(lab, computes=False)


def revoke_computing(lab: Lab) -> str:
    """``revoke(terminate=True)`` of a task that computes."""
    return _revoke(lab, computes=True)


def sys_exit(lab: Lab) -> str:
    """``sys.exit()`` in a task: it fails, and its caller hears of it."""
    verdict = _ends_in(lab, WorkerLostError, "exit_by", "sys.exit")
    return verdict if lab.process.poll() is None else "ends the worker"


def _lost(lab: Lab, how: str) -> str:
    began = time.monotonic()
    result = lab.send("exit_by", how)
    try:
        wait_for(lambda: result.ready() or lab.process.poll() is not None, lab.soon)
        if lab.process.poll() is not None:
            return "ends the worker"
        result.get(timeout=1.0)
    except WorkerLostError:
        taken = time.monotonic() - began
        return WORKS if taken < lab.soon / 5 else f"heard of after {taken:.1f} s"
    except TimeoutError:
        return "never heard of"
    return "?"


def lost_by_exit(lab: Lab) -> str:
    """``os._exit()`` in a task."""
    return _lost(lab, "os._exit")


def lost_by_kill(lab: Lab) -> str:
    """SIGKILL in a task."""
    return _lost(lab, "SIGKILL")


def lost_by_segfault(lab: Lab) -> str:
    """SIGSEGV in a task."""
    return _lost(lab, "SIGSEGV")


def rejected_when_lost(lab: Lab) -> str:
    """``reject_on_worker_lost``: the task runs again."""
    result = lab.send("die_once", str(lab.folder / f"died{time.monotonic_ns()}"))
    wait_for(lambda: result.ready() or lab.process.poll() is not None, lab.soon)
    if lab.process.poll() is not None:
        return "ends the worker"
    return WORKS if result.ready() and result.result == "second time" else "not again"


def grows(lab: Lab) -> str:
    """``pool_grow``: more tasks at once, and stats say so."""
    before = lab.stats()["max-concurrency"]
    answer = lab.command("pool_grow", n=2)
    if "error" in answer:
        return "refused" if "Unsupported" in answer["error"] else "error"
    gate = Gate(lab.folder)
    results = [lab.send("hold", str(gate.path)) for _ in range(before + 2)]
    many = gate.has_begun(before + 2, lab.soon)
    told = lab.stats()["max-concurrency"] == before + 2
    gate.open()
    for result in results:
        result.get(timeout=PATIENCE)
    return WORKS if many and told else "not told by stats" if many else "no more at once"


def shrinks(lab: Lab) -> str:
    """``pool_shrink``: back to fewer tasks at once."""
    before = lab.stats()["max-concurrency"]
    answer = lab.command("pool_shrink", n=2)
    if "error" in answer:
        return "refused" if "Unsupported" in answer["error"] else "error"
    told = wait_for(lambda: lab.stats()["max-concurrency"] == before - 2, lab.soon)
    return WORKS if told else "not told by stats"


def restarts(lab: Lab) -> str:
    """``pool_restart``: tasks are run thereafter, by new children."""
    before = set(lab.stats().get("processes") or [])
    answer = lab.command("pool_restart")
    if "error" in answer:
        return "refused" if "Unsupported" in answer["error"] else "error"
    if not before or before == {lab.process.pid}:
        return WORKS if lab.send("add", 1, 2).get(timeout=PATIENCE) == 3 else "no tasks"
    gone = wait_for(lambda: not any(is_alive(pid) for pid in before), lab.soon)
    ran = lab.send("add", 1, 2).get(timeout=PATIENCE) == 3
    return WORKS if gone and ran else "children stay"


def _held(lab: Lab, act: Callable[[Any], None], **options: Any) -> str:
    sign = lab.folder / f"sign{time.monotonic_ns()}"
    gate = Gate(lab.folder)
    slots = lab.stats()["max-concurrency"]
    busy = [lab.send("hold", str(gate.path)) for _ in range(slots)]
    if not gate.has_begun(slots):
        return "does not begin"
    result = lab.send("mark", str(sign), **options)
    act(result)
    gate.open()
    for blocker in busy:
        blocker.get(timeout=PATIENCE)
    wait_for(result.ready, PATIENCE)
    return WORKS if result.status == "REVOKED" and not sign.exists() else "runs"


def revoked_while_it_waits(lab: Lab) -> str:
    """A prefetched task that is revoked does not run."""

    def revoke(result: Any) -> None:
        # The worker has both by the time that it is let go on with them.
        lab.client.control.revoke(result.id)
        time.sleep(0.5)

    return _held(lab, revoke)


def expired_while_it_waits(lab: Lab) -> str:
    """A prefetched task that expires does not run."""
    return _held(lab, lambda _: time.sleep(1.5), expires=1.0)


def _ping_while(lab: Lab, computes: bool) -> str:
    gate = Gate(lab.folder)
    slots = 1 if computes else lab.stats()["max-concurrency"]
    busy = [lab.send("hold", str(gate.path), computes) for _ in range(slots)]
    if not gate.has_begun(slots):
        return "does not begin"
    answered = sum(lab.ping(lab.soon / 5) for _ in range(3))
    gate.open()
    for result in busy:
        result.get(timeout=PATIENCE)
    return WORKS if answered == 3 else f"{answered} of 3 answered"


def ping_while_busy(lab: Lab) -> str:
    """``inspect ping`` answers within a second with every slot busy."""
    return _ping_while(lab, computes=False)


def ping_while_computing(lab: Lab) -> str:
    """The same while a task computes."""
    return _ping_while(lab, computes=True)


def ten_megabytes(lab: Lab) -> str:
    """An argument and a result of 10 MB."""
    value = "x" * 10_000_000
    return WORKS if lab.send("echo", value).get(timeout=PATIENCE) == value else "differs"


def retries(lab: Lab) -> str:
    """``self.retry()``, twice."""
    return WORKS if lab.send("retry_twice").get(timeout=PATIENCE) == 2 else "not"


def eta(lab: Lab) -> str:
    """A task with a countdown begins when it should."""
    due = time.time() + 1.0
    late = lab.send("at", countdown=1.0).get(timeout=PATIENCE) - due
    return WORKS if -0.1 <= late < 1.0 else f"{late:.2f} s late"


def drains(lab: Lab) -> str:
    """SIGTERM: what runs is finished, and the worker exits."""
    gate = Gate(lab.folder)
    slots = lab.stats()["max-concurrency"]
    results = [lab.send("hold", str(gate.path)) for _ in range(slots)]
    if not gate.has_begun(slots):
        return "does not begin"
    lab.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "Warm shutdown" in lab.log.read_text())
    gate.open()
    if lab.gone_within(3 * lab.soon) is None:
        return "still there"
    done = all(result.ready() and result.result == "let go" for result in results)
    return WORKS if done and lab.process.returncode == 0 else "not finished"


# -- What takes a worker of its own ------------------------------------------------------------------------------------


def cold_shutdown(lab: Lab) -> str:
    """SIGQUIT: the worker exits at once; a task with ``acks_late`` is not stored as ended, and goes back."""
    begun = lab.folder / f"begun{time.monotonic_ns()}"
    result = lab.send("late", 300.0, str(begun))
    wait_for(begun.exists)
    taken = lab.signal(signal.SIGQUIT, 3 * lab.soon)
    if taken is None:
        return f"still there after {3 * lab.soon:.0f} s"
    return WORKS if not result.ready() else f"stored as {result.status}"


def redelivers(lab: Lab) -> str:
    """The worker is killed by SIGKILL in a task with ``acks_late``: another worker runs it."""
    begun = lab.folder / f"begun{time.monotonic_ns()}"
    result = lab.send("late", 2.0, str(begun))
    wait_for(begun.exists)
    lab.signal(signal.SIGKILL)
    began = time.monotonic()
    with_new = Lab(lab.folder, lab.client.conf.broker_url, lab.client.conf.result_backend, lab.pool, ours=lab.ours)
    try:
        with_new.wait_until_up()
        wait_for(result.ready, 30.0 + 3 * lab.soon)
        taken = time.monotonic() - began
        return WORKS if result.ready() else f"not in {taken:.0f} s"
    finally:
        with_new.close()


def leaves_no_orphans(lab: Lab) -> str:
    """The worker is killed by SIGKILL: no process of it stays."""
    pids = [pid for pid in lab.stats().get("processes") or [] if pid != lab.process.pid]
    gate = Gate(lab.folder)
    lab.send("hold", str(gate.path))
    gate.has_begun(1)
    lab.signal(signal.SIGKILL)
    gone = wait_for(lambda: not any(is_alive(pid) for pid in pids), lab.soon)
    gate.open()
    return WORKS if gone else "orphans"


def many_at_once(lab: Lab) -> str:
    """500 sleeping tasks with 500 slots."""
    slots = lab.stats()["max-concurrency"]
    # Processes are not started in a moment, and it is not that which is looked at.
    # Celery's pools within one process do not say which it is.
    wait_for(lambda: len(lab.stats().get("processes", [lab.process.pid])) in (1, slots), 3 * PATIENCE)
    gate = Gate(lab.folder)
    results = [lab.send("hold", str(gate.path), False, 0.5) for _ in range(slots)]
    at_once = gate.has_begun(slots, 3 * PATIENCE)
    gate.open()
    done = all(result.get(timeout=3 * PATIENCE) == "let go" for result in results)
    return WORKS if at_once and done else "not at once"


def recycles(lab: Lab) -> str:
    """``--max-tasks-per-child 2``: children are replaced."""
    pids = [lab.send("pid").get(timeout=PATIENCE) for _ in range(6)]
    if set(pids) == {lab.process.pid}:
        return "no children" if lab.ours else "ignored"
    return WORKS if max(pids.count(pid) for pid in pids) <= 2 else "not replaced"


def recycles_by_memory(lab: Lab) -> str:
    """``--max-memory-per-child``: a child with more is replaced."""
    pid = lab.send("fill_memory", 200).get(timeout=PATIENCE)
    if pid == lab.process.pid:
        return "no children" if lab.ours else "ignored"
    return WORKS if wait_for(lambda: not is_alive(pid), lab.soon) else "not replaced"


#: Those that one worker does one after another.
TOGETHER = (
    hard_limit_waiting,
    hard_limit_computing,
    soft_limit_waiting,
    soft_limit_computing,
    revoke_waiting,
    revoke_computing,
    sys_exit,
    revoked_while_it_waits,
    expired_while_it_waits,
    ping_while_busy,
    ping_while_computing,
    ten_megabytes,
    retries,
    eta,
    grows,
    shrinks,
    restarts,
    drains,
)

#: Those that end a worker, or the only process of one, or want it started in a way of its own: with which options.
ALONE: dict[Callable[[Lab], str], tuple[str, ...]] = {
    lost_by_exit: (),
    lost_by_kill: (),
    lost_by_segfault: (),
    rejected_when_lost: (),
    cold_shutdown: (),
    redelivers: (),
    leaves_no_orphans: (),
    recycles: ("-c", "1", "--max-tasks-per-child", "2"),
    recycles_by_memory: ("-c", "1", "--max-memory-per-child", "150000"),
    many_at_once: ("-c", "500", "--prefetch-multiplier", "1"),
}


def concurrency(pool: str) -> list[str]:
    """The arguments for a few slots."""
    return ["-c", "1" if pool == "solo" else "3"]
