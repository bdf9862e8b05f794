"""What comes first: which pool the arguments name, its patches, and only then the command line."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from pools.cli import arguments
from tests.core.fake_plugins import Site


@pytest.mark.parametrize(
    ("line", "pool"),
    [
        ("run mod:fn -P gevent", "gevent"),
        ("run mod:fn -Pgevent", "gevent"),
        ("run mod:fn --pool gevent", "gevent"),
        ("run mod:fn --pool=gevent", "gevent"),
        ("run -P solo mod:fn -P gevent", "gevent"),
        ("run mod:fn --json -P gevent", "gevent"),
        ("run mod:fn --input -P", None),
        ("run mod:fn --input -P gevent", None),
        ("run mod:fn -c -P gevent", None),
        ("run mod:fn -c10 -P gevent", "gevent"),
        ("run mod:fn --input=x -P gevent", "gevent"),
        ("run mod:fn --input - -P gevent", "gevent"),
        ("run mod:fn -- -P gevent", None),
        ("run mod:fn -P", None),
        ("run", None),
        ("exec -P gevent script.py -P other", "gevent"),
        ("exec script.py -P other", None),
        ("exec -P gevent -m module -P other", "gevent"),
        ("exec -mmodule -P other", None),
        ("exec -P gevent -c code -P other", "gevent"),
        ("exec -P gevent -- script.py -P other", "gevent"),
        ("exec -P gevent - -P other", "gevent"),
        ("run mod:fn -qP gevent", "gevent"),
        ("run mod:fn -qPgevent", "gevent"),
        ("run -P gevent --json --block-limit 1 mod:fn", "gevent"),
        ("run --block-limit 1 -P gevent mod:fn", "gevent"),
        ("run --block-limit=1 mod:fn --pool=solo --pool gevent", "gevent"),
        ("bench -P gevent", "gevent"),
        ("bench --json -Pgevent --jobs 3", "gevent"),
        ("bench --jobs 3 --pool gevent", "gevent"),
        ("exec --block-limit 1 -Pgevent script.py -P other", "gevent"),
        ("exec --pool=gevent -m module --pool other", "gevent"),
        ("worker -A app -P gevent", "gevent"),
        ("worker -Pgevent -A app", "gevent"),
        ("worker -A app --pool=gevent --block-limit 1", "gevent"),
        ("worker --verbose -P gevent -l info", "gevent"),
        ("worker --loglevel info --pool gevent", "gevent"),
    ],
)
def test_the_pool_that_a_line_names(line: str, pool: str | None) -> None:
    name, *rest = line.split()
    assert arguments.read(name, rest).pool == pool


@pytest.mark.parametrize(
    ("line", "own", "program"),
    [
        ("-P gevent script.py -P other --help", "-P gevent", "script.py -P other --help"),
        ("-P gevent -m module -h", "-P gevent", "-m module -h"),
        ("-P gevent -- script.py -P", "-P gevent", "script.py -P"),
        ("-P gevent", "-P gevent", ""),
        ("--help", "--help", ""),
        ("-P", "-P", ""),
    ],
)
def test_where_the_arguments_of_a_program_begin(line: str, own: str, program: str) -> None:
    read = arguments.read("exec", line.split())
    assert (" ".join(read.own), " ".join(read.program)) == (own, program)
    assert read.asks_help == (line == "--help")


def test_importing_pools_loads_nothing_that_a_patch_must_precede() -> None:
    code = "import sys; before = set(sys.modules); import pools; print(*sorted(set(sys.modules) - before))"
    assert subprocess.check_output([sys.executable, "-I", "-c", code], text=True).split() == ["__future__", "pools"]


def test_the_patch_comes_before_the_command_line(site: Site) -> None:
    site.patched_pool("green")
    code = (
        "import green; print(*[name for name in ('click', 'rich', 'ssl', 'pools.cli.group') if name in green.loaded])"
    )
    done = site.command("exec", "-P", "green", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


SHOW = "import sys; print('green' in sys.modules and sys.modules['green'].applied)"


@pytest.mark.parametrize("source", ["environment", "project"])
def test_the_pool_may_come_from_the_configuration(site: Site, source: str) -> None:
    site.patched_pool("green")
    environment = {"POOLS_POOL": "green"} if source == "environment" else {}
    if source == "project":
        (site.path / "pyproject.toml").write_text('[tool.pools]\npool = "green"\n')
    done = site.command("exec", "-c", SHOW, **environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[{}]\n", "")


EXTENSION = """
from pools.hooks import hookimpl

@hookimpl
def pools_commands(group):
    group.add_lazy_command("work", "extra_command:work", "Work.")
"""
COMMAND = f"""
import click

@click.command()
@click.option("-P", "--pool")
def work(pool):
    '''Work hard.'''
    {SHOW}
    return 3
"""


def test_a_command_of_an_extension_is_patched_for_as_well(site: Site) -> None:
    site.patched_pool("green")
    site.extension("extra", EXTENSION)
    site.module("extra_command", COMMAND)
    for arguments_, environment in ((["work", "-P", "green"], {}), (["work"], {"POOLS_POOL": "green"})):
        done = site.command(*arguments_, **environment)
        assert (done.returncode, done.stdout, done.stderr) == (3, "[{}]\n", "")
    assert site.command("work").stdout == "False\n"


@pytest.mark.parametrize("line", ["list", "info green", "--help", "exec --help", "--version", ""])
def test_what_runs_nothing_never_patches(site: Site, line: str) -> None:
    site.patched_pool("green")
    site.module("green_patch", "raise RuntimeError('patched')")
    done = site.command(*line.split(), POOLS_POOL="green")
    assert done.returncode == (0 if line else 2)
    assert "patched" not in done.stderr


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("exec -P gren x.py", "pools: no installed plugin offers a pool named 'gren' (did you mean green"),
        ("exec x.py", "pools exec: Name the pool whose patches to apply: -P NAME."),
        ("exec -P green", "pools exec: Name a program: a script, -m MODULE or -c CODE."),
        ("exec -P green no.py", "pools: cannot read the program no.py: No such file or directory"),
        ("exec -P green -m none.of_it", "pools: there is no module none.of_it to run"),
        ("exec -P green -m", "pools: the option -m of a program requires an argument"),
        ("exec -P", "pools exec: Option '-P' requires an argument."),
        ("info", "pools info: Missing argument 'NAME'."),
        ("info nothing", "pools: no installed plugin offers a pool named 'nothing'; to install it: pip install"),
        ("list --yaml", "pools list: No such option"),
        ("nonsense", "pools: No such command 'nonsense'."),
        ("--nonsense", "pools: No such option"),
    ],
)
def test_what_cannot_be_used_ends_as_one_line_with_code_2(site: Site, line: str, error: str) -> None:
    site.patched_pool("green")
    done = site.command(*line.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(error)
    assert done.stderr.count("\n") == 1


def test_a_setting_without_meaning_ends_as_one_line_with_code_2(site: Site) -> None:
    done = site.command("exec", "x.py", POOLS_CONCURRENCY="abc")
    assert (done.returncode, done.stderr) == (
        2,
        'pools: POOLS_CONCURRENCY=abc: not a positive number or "auto"\n',
    )


def test_a_reader_that_goes_away_is_no_error(site: Site) -> None:
    site.pool("alpha")
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pools", "list"],
            env=site.environment,
            cwd=site.path,
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_warning_is_one_line(site: Site) -> None:
    site.patched_pool("green", before=["sys"])
    done = site.command("exec", "-P", "green", "-c", "import warnings; warnings.warn('mine')")
    assert done.stderr.startswith("pools: sys was imported before the patch green: ")
    assert "\n<string>:1: UserWarning: mine\n" in done.stderr


#: What the command line cannot do without.
LIBRARIES = "import click, importlib.metadata, pluggy, stevedore.extension"


def processor_seconds(run: Callable[..., object], *arguments: str) -> float:
    """The time of a command without what it waits for a processor that others have."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_is_quick_and_imports_neither_a_pool_nor_rich(site: Site) -> None:
    site.pool("alpha")
    code = """
import sys
sys.argv[1:] = ["--help"]
from pools.boot import main
try:
    main()
finally:
    print(*[name for name in sys.modules if name.endswith("pool") or name.startswith("rich")], file=sys.stderr)
"""
    done = site.run("-c", code)
    assert "Usage: pools" in done.stdout
    assert done.stderr == "\n"
    libraries = min(processor_seconds(site.run, "-c", LIBRARIES) for _ in range(5))
    assert min(processor_seconds(site.command, "--help") for _ in range(5)) < 3 * libraries
