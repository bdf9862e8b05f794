"""The options that a pool declares: on the command line, in the environment and in the project, each with its type."""

from __future__ import annotations

import json

import pytest

from tests.core.fake_plugins import OPEN, Site

OPTIONS = "options=(Option('depth', 'How deep.', 2, type='count'), Option('json', 'Like a flag of run.'))"

POOL = """
from dataclasses import dataclass
from pools import BasePool
from pools.options import PoolOptions
from pools.spec import Traits

@dataclass(frozen=True)
class Options(PoolOptions):
    depth: int = 2
    json: str = ""

class Pool(BasePool):
    name = "lake"
    traits = Traits(resize=True)
    options_class = Options

    def on_apply(self, job):
        job.run()
"""

COMMAND = """
from pools.hooks import hookimpl

@hookimpl
def pools_commands(group):
    group.add_lazy_command("work", "work_command:work", "Work.")
"""

WORK = """
import click, pools, sys
from pools.cli.pool_command import PoolCommand

@click.command(cls=PoolCommand)
@click.option("-P", "--pool")
@click.option("-v", "--verbose", is_flag=True)
def work(pool, verbose):
    with pools.open(pool) as opened:
        print(opened.name, opened.options.depth, sys.modules["green"].applied if "green" in sys.modules else "")
"""

DEPTH = "import pools\nwith pools.open() as pool: print(pool.options.depth)"


@pytest.fixture
def lake(site: Site) -> Site:
    """A pool with options, one without any, and a command of a plugin that opens one of them."""
    site.pool("lake", OPTIONS)
    site.module("lake_pool", POOL)
    site.pool("alpha")
    site.extension("work", COMMAND)
    site.module("work_command", WORK)
    site.module("shop", "import pools\ndef depth(line): return pools.current_job().pool.options.depth")
    (site.path / "lines").write_text("1\n")
    return site


@pytest.mark.parametrize(
    ("given", "environment", "project", "depth"),
    [
        ([], {}, "", 2),
        ([], {}, "depth = 3", 3),
        ([], {"POOLS_DEPTH": "4"}, "depth = 3", 4),
        (["--depth", "5"], {"POOLS_DEPTH": "4"}, "depth = 3", 5),
        (["--depth=6"], {}, "", 6),
    ],
)
def test_where_an_option_is_set(
    lake: Site, given: list[str], environment: dict[str, str], project: str, depth: int
) -> None:
    (lake.path / "pyproject.toml").write_text(f"[tool.pools]\n{project}\n")
    for line in (["exec", "-P", "lake", *given, "-c", DEPTH], ["exec", *given, "--pool=lake", "-c", DEPTH]):
        done = lake.command(*line, **environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{depth}\n", "")
    done = lake.command("run", "shop:depth", *given, "--input", "lines", "-P", "lake", "-q", **environment)
    assert (json.loads(done.stdout)["result"], done.stderr) == (depth, "")
    done = lake.command("work", *given, "-P", "lake", **environment)
    assert (done.stdout, done.stderr) == (f"lake {depth} \n", "")


@pytest.mark.parametrize(
    ("line", "environment", "project", "error"),
    [
        ("exec -P alpha --depth 3 -c 1", {}, "", "pools: --depth: pool alpha has no such option (lake has it)"),
        ("work -P alpha --depth 3", {}, "", "pools: --depth: pool alpha has no such option (lake has it)"),
        ("work -P alpha", {"POOLS_DEPTH": "3"}, "", "pools: POOLS_DEPTH: pool alpha has no such option (lake has it)"),
        ("work -P alpha", {}, "depth = 3", "[tool.pools] depth: pool alpha has no such option (lake has it)"),
        ("work -P lake", {}, "deph = 3", "[tool.pools] deph: no such setting (did you mean depth?)"),
        ("work -P lake", {}, "colour = 3", "[tool.pools] colour: no such setting (there are pool, custom_pool, "),
        ("work -P lake --depth 0", {}, "", "pools work: Invalid value for '--depth': '0' is not a positive number."),
        ("work -P lake --deph 1", {}, "", "pools work: No such option '--deph'. Did you mean '--depth'?"),
        ("work -P lake", {"POOLS_DEPTH": "x"}, "", "pools: POOLS_DEPTH=x: not a positive number"),
    ],
)
def test_what_cannot_be_honoured_is_refused(
    lake: Site, line: str, environment: dict[str, str], project: str, error: str
) -> None:
    (lake.path / "pyproject.toml").write_text(f"[tool.pools]\n{project}\n")
    done = lake.command(*line.split(), **environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert error in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_variable_that_no_pool_knows_is_none_of_ours(lake: Site) -> None:
    assert lake.evaluate(OPEN.format("alpha"), POOLS_SERVICE_HOST="10.0.0.1", POOLS_PORT="tcp://x") == [
        "alpha",
        "running",
    ]


def test_help_has_the_options_of_the_pool_that_is_named(lake: Site) -> None:
    lines = [" ".join(line.split()) for line in lake.command("run", "-P", "lake", "--help").stdout.splitlines()]
    assert lines[-2:] == ["Options of pool lake:", "--depth N How deep. [2]"]
    shown = lake.command("run", "-P", "alpha", "--help").stdout
    assert "Options of" not in shown
    assert lake.command("run", "-P", "none", "--help").stdout == shown
    assert "--json " in shown, "an option that is named like one of the command's own does not take its place"


def test_the_options_of_the_command_line_are_for_the_pool_that_it_names(lake: Site) -> None:
    code = "import pools\nwith pools.open('alpha') as a, pools.open('lake') as b: print(a.name, b.options.depth)"
    done = lake.command("exec", "-P", "lake", "--depth", "7", "-c", code)
    assert (done.stdout, done.stderr) == ("alpha 7\n", "")


@pytest.mark.parametrize("line", ["-vPgreen", "-vP green", "-P alpha -vPgreen", "-v --pool green -P green"])
def test_a_pool_that_only_the_command_itself_can_find_is_patched_all_the_same(site: Site, line: str) -> None:
    """It is not known before which short options of a plugin's command take a value."""
    site.patched_pool("green")
    site.pool("alpha")
    site.extension("work", COMMAND)
    site.module("work_command", WORK.replace("opened.options.depth", "'click' in sys.modules['green'].loaded"))
    done = site.command("work", *line.split())
    assert (done.returncode, done.stdout, done.stderr) == (0, "green False [{}]\n", "")
