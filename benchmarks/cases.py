"""The cases: what is measured of a contender in one process, as samples in seconds, or for memory in bytes."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks import memory
from benchmarks.contender import Contender, payload

Opener = Callable[[], Contender]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured in one process.

    Attributes:
        jobs: Jobs in one flood.
        floods: Floods that count.
        lone: Lone jobs that count.
        starts: Starts that count.
        echoes: Echoes that are given at once.
        rounds_of_echoes: Rounds of these that count.
    """

    jobs: int
    floods: int
    lone: int
    starts: int
    echoes: int
    rounds_of_echoes: int


FULL = Size(jobs=10_000, floods=3, lone=1_000, starts=5, echoes=4, rounds_of_echoes=30)
QUICK = Size(jobs=2_000, floods=2, lone=200, starts=3, echoes=4, rounds_of_echoes=5)


def flood(opener: Opener, clock: Clock, size: Size) -> list[float]:
    """Seconds per job of floods, each through a pool that has just been opened; the first is the warm-up."""
    samples = []
    for _ in range(1 + size.floods):
        contender = opener()
        begun = clock()
        ended = contender.flood(size.jobs)
        samples.append((clock() - begun) / size.jobs)
        contender.close()
        if ended != size.jobs:
            raise RuntimeError(f"{size.jobs} jobs were given, and {ended} outcomes came")
    return samples[1:]


def latency(opener: Opener, clock: Clock, size: Size) -> list[float]:
    """Seconds from giving a lone job to its outcome in the caller; the first quarter is the warm-up."""
    contender = opener()
    contender.lones(size.lone // 4)
    samples = contender.lones(size.lone)
    contender.close()
    return samples


def start(opener: Opener, clock: Clock, size: Size) -> list[float]:
    """Seconds from opening a pool to its first outcome in the caller; the first start is the warm-up."""
    samples = []
    for _ in range(1 + size.starts):
        begun = clock()
        contender = opener()
        contender.lone()
        samples.append(clock() - begun)
        contender.close()
    return samples[1:]


def echo(kind: str, opener: Opener, clock: Clock, size: Size) -> list[float]:
    """Seconds for each payload of a kind, there and back, of several at once; the first round is the warm-up."""
    value = payload(kind)
    contender = opener()
    samples = []
    for _ in range(1 + size.rounds_of_echoes):
        begun = clock()
        contender.echoes(value, size.echoes)
        samples.append((clock() - begun) / size.echoes)
    contender.close()
    return samples[1:]


def children(opener: Opener, clock: Clock, size: Size) -> list[float]:
    """Bytes of memory of each child that has run jobs and is idle."""
    contender = opener()
    contender.flood(size.jobs)
    time.sleep(0.2)
    samples = memory.of_children()
    contender.close()
    return samples


CLOCKS: dict[str, Clock] = {"cpu": time.process_time, "wall": time.perf_counter}
CASES: dict[str, Callable[[Opener, Clock, Size], list[float]]] = {
    "flood": flood,
    "latency": latency,
    "start": start,
    "children": children,
    **{f"echo {kind}": partial(echo, kind) for kind in ("bytes", "bytearray", "numpy")},
}


def measure(request: dict[str, Any]) -> list[float]:
    """Give the samples that :func:`benchmarks.runner.measure` asks for."""
    module, _, name = request["where"].partition(":")
    contender: Callable[[str, int], Contender] = getattr(importlib.import_module(module), name)
    opener = partial(contender, request["pool"], request["concurrency"])
    return CASES[request["measurement"]](opener, CLOCKS[request["clock"]], QUICK if request["quick"] else FULL)
