"""The commands that come with the core, as far as they must be known before click is imported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Builtin:
    """One command.

    Attributes:
        target: Where its click command is, as ``"module:attribute"``.
        summary: Its line in ``pools --help``.
        runs_jobs: It runs code of the user's, so a pool's patches come before anything else.
        runs_program: Its arguments end with a program and that program's own arguments.
        flags: Its options that take no value; each of its other options takes one.
    """

    target: str
    summary: str
    runs_jobs: bool = False
    runs_program: bool = False
    flags: frozenset[str] = frozenset()


BUILTIN = {
    "list": Builtin(
        "pools.cli.list:list_", "Show the installed pools, and what is wrong with any.", flags=frozenset({"--json"})
    ),
    "info": Builtin("pools.cli.info:info", "Show everything that a pool declares.", flags=frozenset({"--json"})),
    "run": Builtin(
        "pools.cli.run:run",
        "Call a function once for each line of input.",
        runs_jobs=True,
        flags=frozenset({"--json", "--resume", "-q", "--quiet"}),
    ),
    "bench": Builtin(
        "pools.cli.bench:bench",
        "Measure what a job costs on a pool, on this machine.",
        runs_jobs=True,
        flags=frozenset({"--json"}),
    ),
    "exec": Builtin(
        "pools.cli.exec:exec_", "Run a Python program with a pool's patches applied.", runs_jobs=True, runs_program=True
    ),
    "doctor": Builtin(
        "pools.cli.doctor:doctor",
        "Find what a program patches too late.",
        runs_program=True,
        flags=frozenset({"--json"}),
    ),
    "new": Builtin(
        "pools.cli.new:new",
        "Write a distribution with a pool of your own.",
        flags=frozenset({"--thread", "--process", "--green"}),
    ),
    "check": Builtin("pools.cli.check:check", "Hold a pool to the contract.", flags=frozenset({"--json", "--quick"})),
}
