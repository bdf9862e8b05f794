"""However a pool is named, every command that runs jobs applies its patch before it imports what the patch precedes."""

from __future__ import annotations

import json

import pytest

from tests.core.fake_plugins import Site

#: Of a job or a program: whether the patch was applied, and before what.
SEEN = "(green.applied, [name for name in ('click', 'rich', 'ssl', 'pools.pool') if name in green.loaded])"
FUNCTION = f"""
def seen(line=None):
    import green
    return {SEEN}
"""

EXTENSION = """
from pools.hooks import hookimpl

@hookimpl
def pools_commands(group):
    group.add_lazy_command("serve", "serve_command:serve", "Work.")
"""
SERVE = """
import json
import click
from shop import seen

@click.command()
@click.option("-P", "--pool")
@click.option("-A", "--app")
@click.option("-q", "--quiet", is_flag=True)
def serve(pool, app, quiet):
    print(json.dumps(seen()))
"""

#: What is typed after ``pools`` for each command; its pool comes where the braces are.
COMMANDS = {
    "run": "run -q {} shop:seen --input lines",
    "exec": "exec {} -m shop_program -P other",
    "serve": "serve -A app {}",
    "bench": "bench --jobs 1 {} --json",
}


@pytest.fixture
def green(site: Site) -> Site:
    """A pool that needs a patch, and programs that tell whether it came early."""
    site.patched_pool("green")
    site.patched_pool("other")
    site.extension("shop", EXTENSION)
    site.module("serve_command", SERVE)
    site.module("shop", FUNCTION)
    site.module("shop_program", "import json, shop; print(json.dumps(shop.seen()))")
    (site.path / "lines").write_text("1\n")
    return site


def seen(site: Site, command: str, given: str, **environment: str) -> object:
    """What was seen of the patch, in a command that was given its pool like this."""
    # A benchmark shows nothing of what was loaded when; a patch that comes with a hook of its own does.
    site.module("sitecustomize", "import atexit, sys\nfrom shop import seen\n" + AT_EXIT if command == "bench" else "")
    done = site.command(*COMMANDS[command].format(given).split(), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    printed = json.loads(done.stdout.splitlines()[-1])
    return printed["result"] if command == "run" else printed


AT_EXIT = """
import json
atexit.register(lambda: print('\\n' + json.dumps(seen())))
"""

EARLY: list[list[object]] = [[{}], []]


@pytest.mark.parametrize("given", ["-P green", "-Pgreen", "--pool green", "--pool=green", "-P other -P green"])
@pytest.mark.parametrize("command", ["run", "exec", "serve"])
def test_the_pool_of_the_command_line_is_patched_first(green: Site, command: str, given: str) -> None:
    assert seen(green, command, given) == EARLY


@pytest.mark.parametrize("command", COMMANDS)
def test_the_pool_of_the_environment_is_patched_first(green: Site, command: str) -> None:
    assert seen(green, command, "", POOLS_POOL="green") == EARLY


@pytest.mark.parametrize("command", COMMANDS)
def test_the_pool_of_the_project_is_patched_first(green: Site, command: str) -> None:
    (green.path / "pyproject.toml").write_text('[tool.pools]\npool = "green"\n')
    assert seen(green, command, "") == EARLY


def test_a_benchmark_is_patched_first(green: Site) -> None:
    assert seen(green, "bench", "-Pgreen", POOLS_POOL="other") == EARLY
