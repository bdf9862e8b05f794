"""The commands: those of the core are known before they are imported, and plugins add theirs by a hook."""

from __future__ import annotations

import importlib

import click
import pytest

from pools import program
from pools.cli.arguments import HELP_OPTIONS
from pools.cli.builtin import BUILTIN
from tests.core.fake_plugins import Site

HOOK = """
from pools.hooks import hookimpl

@hookimpl
def pools_commands(group):
    {}
"""
LAZY = HOOK.format('group.add_lazy_command("work", "work_command:work", "Work hard.")')
COMMAND = "import click\n@click.command()\ndef work():\n    '''Work.'''\n    print('worked')"


@pytest.mark.parametrize("name", BUILTIN)
def test_what_is_known_of_a_command_is_what_it_is(name: str) -> None:
    module, _, attribute = BUILTIN[name].target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    options = [option for option in command.params if isinstance(option, click.Option)]
    flags = {
        text for option in options if option.is_flag or option.count for text in (*option.opts, *option.secondary_opts)
    }
    assert BUILTIN[name].flags == flags
    assert all(option.nargs == 1 for option in options)
    taken = {text for option in options for text in option.opts}
    assert not taken & set(HELP_OPTIONS)
    if BUILTIN[name].runs_program:
        assert not taken & set(program.OPTIONS)
    if BUILTIN[name].runs_jobs:
        assert {"-P", "--pool"} <= taken


@pytest.mark.parametrize("kind", ["extension", "pool"])
def test_a_plugin_adds_commands(site: Site, kind: str) -> None:
    if kind == "extension":
        site.extension("extra", LAZY)
    else:
        site.pool("extra", extra=LAZY)
    site.module("work_command", COMMAND)
    assert site.command("work").stdout == "worked\n"
    assert "Work hard." in site.command("--help").stdout


def test_the_module_of_a_lazy_command_is_not_imported_for_the_help(site: Site) -> None:
    site.extension("extra", LAZY)
    site.module("work_command", "raise RuntimeError")
    done = site.command("--help")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_plugin_may_add_a_command_as_click_has_it(site: Site) -> None:
    site.extension("extra", HOOK.format("from work_command import work; group.add_command(work)"))
    site.module("work_command", COMMAND)
    assert site.command("work").stdout == "worked\n"
    assert "Work." in site.command("--help").stdout


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("group.add_lazy_command('list', 'a:b', 'Mine.')", "PluginError: there is a command list already"),
        ("import click; group.add_command(click.Command('exec'))", "PluginError: there is a command exec already"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_hook_that_fails_is_warned_of_and_stops_no_command(site: Site, line: str, reason: str) -> None:
    site.extension("extra", HOOK.format(line))
    site.pool("other", extra=LAZY)
    site.module("work_command", COMMAND)
    done = site.command("work")
    assert done.stdout == "worked\n"
    assert f"extension extra of pools-extra 1.0: its commands are left out: {reason}" in done.stderr


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import none", "the command work does not import: ModuleNotFoundError: No module named 'none'"),
        ("", "the command work does not import: AttributeError: module 'work_command' has no attribute 'work'"),
        ("work = 3", "the command work: work_command:work is not a click command"),
    ],
)
def test_a_command_that_cannot_be_imported_says_why(site: Site, source: str, reason: str) -> None:
    site.extension("extra", LAZY)
    site.module("work_command", source)
    done = site.command("work")
    assert (done.returncode, done.stderr) == (2, f"pools: {reason}\n")


def test_a_command_of_the_core_asks_no_plugin(site: Site) -> None:
    site.pool("alpha")
    site.pool("beta", extra=HOOK.format("raise RuntimeError"))
    done = site.command("exec", "-P", "alpha", "-c", "import sys; print('beta_plugin' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_the_version(site: Site) -> None:
    code = "import importlib.metadata as m; print('pools', m.version('pools-core'))"
    assert site.command("--version").stdout == site.run("-c", code).stdout
