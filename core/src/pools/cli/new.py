"""``pools new``: a distribution with a pool that works, to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import click

from pools import registry
from pools.compatibility import core_version
from pools.discovery import installed
from pools.errors import UsageError
from pools.scaffold import Names, files

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@click.command("new")
@click.argument("name")
@click.option("--thread", "kind", flag_value="thread", default=True, help="Its jobs run on threads (the default).")
@click.option("--process", "kind", flag_value="process", help="Its jobs run in processes of their own.")
@click.option("--green", "kind", flag_value="green", help="Its jobs run on greenlets of gevent.")
@click.option(
    "--directory", type=click.Path(path_type=Path), default=".", metavar="DIR", help="Where its folder is made."
)
def new(name: str, kind: str, directory: Path) -> None:
    """Write the distribution pools-NAME, with a pool NAME that works and keeps the contract, to make your own of.

    NAME is words of small letters and digits, joined by hyphens.
    """
    _check(name)
    folder = directory / f"pools-{name}"
    if folder.exists():
        raise UsageError(f"{folder} is there already, and nothing is overwritten")
    for path, text in files(kind, Names(name, core_version())):
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(f"{folder / path} cannot be written: {error.strerror}") from error
        print(folder / path)
    print(f'\nNext: cd {folder}; pip install -e ".[test]"; pools check {name}')


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a pool: small letters and digits, in words joined by hyphens")
    taken = {plugin.name: plugin.origin for plugin in installed()}
    if name in taken:
        raise UsageError(f"there is a pool {name} already, of {taken[name]}")
    if name in ("core", "celery", registry.CUSTOM):
        raise UsageError(f"the name {name} is taken: choose another one")
