"""Distributions made on the fly: a folder of modules and metadata, as pip leaves them, for processes of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: A program for :meth:`Site.evaluate`: opens the pool of a name, and prints ``["NAME", "running"]``.
OPEN = "import pools, json; pool = pools.open({!r}); print(json.dumps([pool.name, pool.state.value])); pool.stop()"


def declaration(name: str, fields: str = "", extra: str = "") -> str:
    """Return the source of a ``plugin.py`` which declares the pool ``name``, whose class is ``NAME_pool:Pool``."""
    return f"""
from pools.hooks import hookimpl
from pools.spec import Option, PatchRequirement, PoolSpec, Traits

@hookimpl
def pools_pool():
    return PoolSpec({name!r}, "{name}_pool:Pool", traits=Traits(resize=True), {fields})
{extra}
"""


def inline_pool(name: str) -> str:
    """Return the source of a module with the class of a pool, which runs each job at once."""
    return f"""
from pools import BasePool
from pools.spec import Traits

class Pool(BasePool):
    name = {name!r}
    traits = Traits(resize=True)

    def on_apply(self, job):
        job.run()
"""


class Site:
    """A folder with installed distributions, and Python processes that see it.

    Args:
        path: An empty folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {**os.environ, "PYTHONPATH": str(path)}

    def module(self, name: str, source: str) -> None:
        """Add a module."""
        (self.path / f"{name}.py").write_text(source)

    def distribution(
        self,
        name: str,
        groups: Mapping[str, Mapping[str, str]],
        version: str = "1.0",
        requires: Sequence[str] = (),
    ) -> None:
        """Add the metadata of a distribution, with entry points by group and name, and what it depends on."""
        folder = self.path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        lines = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()
        ]
        (folder / "entry_points.txt").write_text("\n".join(lines))

    def pool(self, name: str, fields: str = "", extra: str = "", aliases: Sequence[str] = ()) -> None:
        """Add a distribution ``pools-NAME`` with a pool that works."""
        self.module(f"{name}_plugin", declaration(name, fields, extra))
        self.module(f"{name}_pool", inline_pool(name))
        groups = {"pools.plugins": {name: f"{name}_plugin"}}
        if aliases:
            groups["pools.aliases"] = dict.fromkeys(aliases, f"{name}_plugin")
        self.distribution(f"pools-{name}", groups)

    def extension(self, name: str, source: str) -> None:
        """Add a distribution ``pools-NAME`` with an extension."""
        self.module(f"{name}_plugin", source)
        self.distribution(f"pools-{name}", {"pools.extensions": {name: f"{name}_plugin"}})

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with arguments, in this folder."""
        return subprocess.run(
            [sys.executable, *arguments],
            env={**self.environment, **environment},
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``pools``."""
        return self.run("-m", "pools", *arguments, **environment)

    def evaluate(self, code: str, **environment: str) -> Any:
        """Run a program and return what it printed, read as JSON."""
        done = self.run("-W", "error", "-c", code, **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def error(self, code: str, **environment: str) -> str:
        """Run a program that must end with an exception, and return the last line of its traceback."""
        done = self.run("-c", code, **environment)
        assert done.returncode == 1, done.stdout
        return done.stderr.splitlines()[-1]

    def patched_pool(
        self, name: str, conflicts: Sequence[str] = (), before: Sequence[str] = (), extra: str = ""
    ) -> None:
        """Add a distribution with a pool that needs the patch ``NAME``, of the library ``NAME``.

        The library has ``applied``, a list of the options of each time that the patch was applied, and ``loaded``, the
        modules that there were the first time.
        """
        option = f"Option('thread', 'Patch threads.', default='Y', env='{name.upper()}_THREAD')"
        patch = (
            f"PatchRequirement({name!r}, '{name}_patch', replaces=('time',), before={tuple(before)!r}, "
            f"conflicts={tuple(conflicts)!r}, options=({option},))"
        )
        self.pool(name, f"patches=({patch},)", extra)
        self.module(name, "applied, loaded = [], []")
        self.module(
            f"{name}_patch",
            f"""
import sys

def apply(options):
    import {name}
    {name}.loaded = {name}.loaded or list(sys.modules)
    {name}.applied.append(dict(options))

def is_applied():
    return {name!r} in sys.modules and bool(sys.modules[{name!r}].applied)
""",
        )
