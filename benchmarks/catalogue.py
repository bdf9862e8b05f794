"""What is compared with what. Imports no contender: each is imported in the process that measures it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Patch = Literal["ours", "gevent", "eventlet"]
Clock = Literal["cpu", "wall"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender in the catalogue.

    Attributes:
        label: What the table calls it.
        where: Its class, as ``"module:Class"``.
        pool: Which of the pools of its kind, and for a peer the pool of ours that it is compared with.
        patch: What its process patches first.
        needs: The distributions that must be installed for it.
    """

    label: str
    where: str
    pool: str
    patch: Patch | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """An entry to compare with, and the ratio to be reached, if one is set for this case."""

    entry: Entry
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """One of our pools in one case, and its peers; these are measured in turn.

    Attributes:
        case: The name of the case.
        measurement: What is done, a key of :data:`benchmarks.cases.CASES`.
        clock: The time that counts.
        concurrency: How many jobs may run at once, here and there.
        ours: Our side.
        peers: The others.
        rounds: How often each side is measured.
    """

    case: str
    measurement: str
    clock: Clock
    concurrency: int
    ours: Entry
    peers: tuple[Peer, ...]
    rounds: int = 5

    @property
    def name(self) -> str:
        """The name by which ``--only`` knows it."""
        return f"{self.case}/{self.ours.pool}"

    @property
    def unit(self) -> Literal["s", "B"]:
        """Seconds, or bytes."""
        return "B" if self.measurement == "children" else "s"


CONCURRENCY = {"solo": 1, "threads": 4, "gevent": 100, "eventlet": 100}

#: Pools whose jobs take turns on one thread, of which the processor's time is the fair measure.
ONE_THREAD = ("solo", "gevent", "eventlet")


def _ours(pool: str) -> Entry:
    return Entry(f"pools {pool}", "benchmarks.ours:Ours", pool, "ours", (f"pools-{pool}",))


def _limited(pool: str) -> Entry:
    return Entry(f"pools {pool}, with limits", "benchmarks.ours:Limited", pool, "ours", (f"pools-{pool}",))


def _celery(pool: str, name: str, patch: Patch | None = None) -> Entry:
    needs = ("celery", pool) if patch else ("celery",)
    return Entry(f"Celery {pool}", f"benchmarks.peers.celery:{name}", pool, patch, needs)


CELERY_SOLO = _celery("solo", "Solo")
CELERY_THREADS = _celery("threads", "Threads")
CELERY_GEVENT = _celery("gevent", "Gevent", "gevent")
CELERY_EVENTLET = _celery("eventlet", "Eventlet", "eventlet")
EXECUTOR = Entry("ThreadPoolExecutor.submit", "benchmarks.peers.executor:Submit", "threads")
THREAD_POOL = Entry("ThreadPool.apply_async", "benchmarks.peers.threadpool:ApplyAsync", "threads")
GEVENT_SPAWN = Entry("gevent Pool.spawn", "benchmarks.peers.gevent:Spawn", "gevent", "gevent", ("gevent",))
GEVENT_APPLY = Entry("gevent Pool.apply_async", "benchmarks.peers.gevent:ApplyAsync", "gevent", "gevent", ("gevent",))
EVENTLET_SPAWN = Entry("GreenPool.spawn", "benchmarks.peers.eventlet:Spawn", "eventlet", "eventlet", ("eventlet",))
EVENTLET_SPAWN_N = Entry("GreenPool.spawn_n", "benchmarks.peers.eventlet:SpawnN", "eventlet", "eventlet", ("eventlet",))

MULTIPROCESSING = Entry("multiprocessing.Pool", "benchmarks.peers.processpool:Multiprocessing", "prefork")
BILLIARD = Entry("billiard.Pool", "benchmarks.peers.processpool:Billiard", "prefork", None, ("billiard",))
PROCESS_EXECUTOR = Entry("ProcessPoolExecutor", "benchmarks.peers.futures:Executor", "prefork")
LOKY = Entry("loky", "benchmarks.peers.futures:Loky", "prefork", None, ("loky",))
PEBBLE = Entry("Pebble", "benchmarks.peers.futures:Pebble", "prefork", None, ("pebble",))
MPIRE = Entry("mpire", "benchmarks.peers.mpire:ApplyAsync", "prefork", None, ("mpire",))
ASYNPOOL = Entry("AsynPool on kombu's Hub", "benchmarks.peers.asynpool:OnHub", "prefork", None, ("celery",))
PING_PONG = Entry("pickles over a socket pair", "benchmarks.peers.pingpong:PingPong", "prefork")
PING_PONG_ON_HUB = Entry("the same on kombu's Hub", "benchmarks.peers.pingpong:OnHub", "prefork", None, ("kombu",))
PING_PONG_ON_ASYNCIO = Entry("the same on asyncio", "benchmarks.peers.pingpong:OnAsyncio", "prefork")
PROCESS_PEERS = (MULTIPROCESSING, BILLIARD, PROCESS_EXECUTOR, LOKY, PEBBLE, MPIRE, ASYNPOOL)

#: Targets of a flood of jobs.
SOLO_TARGET = 1.0
THREADS_TARGET = 1.5
GREEN_TARGET = 4.0
#: Target of a flood with a soft and a hard limit on every job, against the same without.
LIMITS_TARGET = 0.6

FLOOD_PEERS = {
    "solo": (Peer(CELERY_SOLO, SOLO_TARGET),),
    "threads": (Peer(EXECUTOR, THREADS_TARGET), Peer(THREAD_POOL), Peer(CELERY_THREADS)),
    "gevent": (Peer(GEVENT_SPAWN, GREEN_TARGET), Peer(GEVENT_APPLY), Peer(CELERY_GEVENT)),
    "eventlet": (Peer(EVENTLET_SPAWN, GREEN_TARGET), Peer(EVENTLET_SPAWN_N), Peer(CELERY_EVENTLET)),
}
#: Those that report an outcome, without targets.
ONE_JOB_PEERS = {
    pool: tuple(Peer(peer.entry) for peer in peers if peer.entry is not EVENTLET_SPAWN_N)
    for pool, peers in FLOOD_PEERS.items()
}
#: Targets of the prefork pool: of a flood, by peer; of a lone job, against no pool at all where the caller drives the
#: pool, and against every peer; of payloads, against every peer; of the start and the memory of eight children.
PROCESS_FLOOD_TARGETS = {MULTIPROCESSING: 5.0, ASYNPOOL: 10.0}
PING_PONG_TARGET = 1 / 1.5
PROCESS_LATENCY_TARGET = 1.0
ECHO_TARGET = 3.0
PROCESS_START_TARGET = 1.0
PROCESS_MEMORY_TARGET = 1.0
#: Processes take long to start, and there are many peers.
PROCESS_ROUNDS = 3


def _driven(loop: str, where: str, needs: tuple[str, ...] = ()) -> Entry:
    return Entry(f"pools prefork on {loop}", f"benchmarks.ours:{where}", "prefork", "ours", ("pools-prefork", *needs))


def _process_group(
    case: str, measurement: str, peers: tuple[Peer, ...], ours: Entry | None = None, slots: int = 2
) -> Group:
    return Group(case, measurement, "wall", slots, ours or _ours("prefork"), peers, PROCESS_ROUNDS)


def _all_peers(target: float) -> tuple[Peer, ...]:
    return tuple(Peer(entry, target) for entry in PROCESS_PEERS)


PROCESS_GROUPS = (
    _process_group("jobs", "flood", tuple(Peer(entry, PROCESS_FLOOD_TARGETS.get(entry)) for entry in PROCESS_PEERS)),
    _process_group("limits", "flood", (Peer(_ours("prefork"), LIMITS_TARGET),), _limited("prefork")),
    _process_group("latency", "latency", _all_peers(PROCESS_LATENCY_TARGET)),
    _process_group(
        "latency",
        "latency",
        (Peer(PING_PONG, PING_PONG_TARGET), Peer(PING_PONG_ON_HUB)),
        _driven("kombu's Hub", "OnHub", ("kombu",)),
    ),
    _process_group(
        "latency",
        "latency",
        (Peer(PING_PONG, PING_PONG_TARGET), Peer(PING_PONG_ON_ASYNCIO)),
        _driven("asyncio", "OnAsyncio"),
    ),
    *(
        _process_group(f"echo-{kind}", f"echo {kind}", _all_peers(ECHO_TARGET))
        for kind in ("bytes", "bytearray", "numpy")
    ),
    _process_group(
        "start",
        "start",
        (Peer(MULTIPROCESSING, PROCESS_START_TARGET), *map(Peer, (BILLIARD, PROCESS_EXECUTOR, PEBBLE, MPIRE))),
        slots=8,
    ),
    _process_group("memory", "children", (Peer(BILLIARD, PROCESS_MEMORY_TARGET), Peer(MULTIPROCESSING)), slots=8),
)


def _flood_clock(pool: str) -> Clock:
    return "cpu" if pool in ONE_THREAD else "wall"


def _groups() -> list[Group]:
    groups = [*PROCESS_GROUPS]
    for pool, peers in FLOOD_PEERS.items():
        groups.append(Group("jobs", "flood", _flood_clock(pool), CONCURRENCY[pool], _ours(pool), peers))
    for pool in FLOOD_PEERS:
        plain = (Peer(_ours(pool), LIMITS_TARGET),)
        groups.append(Group("limits", "flood", _flood_clock(pool), CONCURRENCY[pool], _limited(pool), plain))
    for case in ("latency", "start"):
        for pool, peers in ONE_JOB_PEERS.items():
            groups.append(Group(case, case, "wall", CONCURRENCY[pool], _ours(pool), peers))
    return groups


GROUPS = _groups()
