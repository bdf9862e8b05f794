"""Wheels of plugins of strangers, made on the fly: what is in them is what a build would put there."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.core.fake_plugins import declaration, inline_pool


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    modules: Mapping[str, str],
    points: Mapping[str, Mapping[str, str]],
    requires: Sequence[str] = (),
) -> Path:
    """Write the wheel of a distribution.

    Args:
        folder: Where the file goes.
        name: The name of the distribution.
        version: Its version.
        modules: The source of each of its modules.
        points: Its entry points, by group and name.
        requires: What it depends on.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    info = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in points.items()
        ),
    }
    files = {f"{module}.py": source for module, source in modules.items()}
    files |= {f"{stem}.dist-info/{name}": text for name, text in info.items()}
    record = f"{stem}.dist-info/RECORD"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
        wheel.writestr(record, "".join(f"{file},,\n" for file in (*files, record)))
    return path


def plugin_wheel(
    folder: Path,
    pool: str,
    version: str = "1.0",
    *,
    distribution: str = "",
    requires: Sequence[str] = ("pools-core",),
    summary: str = "",
    plugin: str | None = None,
) -> Path:
    """Write the wheel of a distribution with a pool that works, unless ``plugin`` is the source of something else.

    Args:
        folder: Where the file goes.
        pool: The name of the pool.
        version: The version of the distribution.
        distribution: Its name; by default ``pools-POOL``.
        requires: What it depends on.
        summary: The summary of the pool.
        plugin: The source of the plugin module.
    """
    distribution = distribution or f"pools-{pool}"
    prefix = distribution.replace("-", "_")
    source = declaration(pool, f"summary={summary!r}") if plugin is None else plugin
    modules = {
        f"{prefix}_plugin": source.replace(f"{pool}_pool:", f"{prefix}_pool:"),
        f"{prefix}_pool": inline_pool(pool),
    }
    return make_wheel(folder, distribution, version, modules, {"pools.plugins": {pool: f"{prefix}_plugin"}}, requires)
