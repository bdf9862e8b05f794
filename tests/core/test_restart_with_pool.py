"""A command that learns of its pool from an application's settings starts anew, patched for it, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.core.fake_plugins import Site

EXTENSION = """
from pools.hooks import hookimpl

@hookimpl
def pools_commands(group):
    group.add_lazy_command("work", "shop_command:work", "Work.")
"""

#: A host's command: it imports an application, whose settings have the pool, and writes down what it starts with.
COMMAND = """
import importlib, json, os, pathlib, subprocess, sys
import click
import pools
from pools import restart

@click.command()
@click.option("-A", "--app")
@click.option("-P", "--pool")
@click.argument("rest", nargs=-1)
def work(app, pool, rest):
    with open("starts", "a") as starts:
        print(os.getpid(), file=starts)
    settings = importlib.import_module(app)
    print("loaded", end=" ")
    restart.with_pool(settings.worker_pool)
    child = "import os, json; print(json.dumps(sorted(name for name in os.environ if name.startswith('POOLS_'))))"
    with pools.open(settings.worker_pool) as opened:
        print(json.dumps({
            "pool": opened.name,
            "patched": sys.modules["green"].applied if "green" in sys.modules else None,
            "click before the patch": "green" in sys.modules and "click" in sys.modules["green"].loaded,
            "rest": rest,
            "flags": [sys.flags.dev_mode, sys.flags.optimize, sys._xoptions.get("mine")],
            "child": json.loads(subprocess.check_output([sys.executable, "-c", child])),
            "mine": os.environ.get("MINE"),
            "folder": os.getcwd(),
        }))
"""


@pytest.fixture
def shop(site: Site) -> Site:
    """An installed host's command, and two pools: one needs a patch."""
    site.patched_pool("green")
    site.pool("alpha")
    site.extension("shop", EXTENSION)
    site.module("shop_command", COMMAND)
    return site


def settings(site: Site, source: str) -> None:
    site.module("shopapp", source)


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout.rpartition("loaded ")[2])
    return found


def starts(site: Site) -> list[str]:
    return (site.path / "starts").read_text().split()


def test_a_configured_pool_is_patched_before_the_command_line_after_all(shop: Site) -> None:
    settings(shop, "worker_pool = 'green'")
    done = shop.run(
        "-X", "dev", "-O", "-X", "mine=1", "-m", "pools", "work", "-A", "shopapp", "--", "-P", "a b", MINE="é"
    )
    assert report(done) == {
        "pool": "green",
        "patched": [{}],
        "click before the patch": False,
        "rest": ["-P", "a b"],
        "flags": [True, 1, "1"],
        "child": [],
        "mine": "é",
        "folder": str(shop.path),
    }
    first, second = starts(shop)
    assert first == second, "it is the same process"
    assert done.stdout.startswith("loaded loaded "), "what was printed before is not lost"


def test_the_console_script_starts_anew_as_itself(shop: Site) -> None:
    settings(shop, "worker_pool = 'green'")
    script = Path(sys.executable).with_name("pools")
    done = subprocess.run(
        [script, "work", "-A", "shopapp"],
        env=shop.environment,
        cwd=shop.path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert report(done)["patched"] == [{}]
    assert len(starts(shop)) == 2


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["-P", "green"], {}), ([], {"POOLS_POOL": "green"}), (["--pool=green"], {"POOLS_POOL": "alpha"})],
)
def test_one_that_was_patched_for_its_pool_does_not_start_anew(
    shop: Site, arguments: list[str], environment: dict[str, str]
) -> None:
    settings(shop, "worker_pool = 'green'")
    found = report(shop.command("work", "-A", "shopapp", *arguments, **environment))
    assert found["patched"] == [{}]
    assert found["child"] == sorted(environment)
    assert len(starts(shop)) == 1


def test_a_pool_that_needs_no_patch_does_not_start_anew(shop: Site) -> None:
    settings(shop, "worker_pool = 'alpha'")
    assert report(shop.command("work", "-A", "shopapp"))["pool"] == "alpha"
    assert len(starts(shop)) == 1


def test_what_is_configured_comes_over_what_the_command_line_named(shop: Site) -> None:
    """The host decides which of them holds, and said so."""
    settings(shop, "worker_pool = 'green'")
    assert report(shop.command("work", "-A", "shopapp", "-P", "alpha"))["pool"] == "green"
    assert len(starts(shop)) == 2


def test_what_the_settings_do_to_the_process_is_undone(shop: Site) -> None:
    source = "import os; os.environ['MINE'] = os.environ.get('MINE', '') + 'x'; os.chdir('/'); worker_pool = 'green'"
    settings(shop, source)
    found = report(shop.command("work", "-A", "shopapp"))
    assert (found["mine"], found["folder"]) == ("x", "/")
    assert len(starts(shop)) == 2


def test_it_starts_anew_once(shop: Site) -> None:
    shop.patched_pool("blue")
    settings(shop, "import sys; worker_pool = 'blue' if 'green' in sys.modules else 'green'")
    done = shop.command("work", "-A", "shopapp")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "pools: the process was started anew for pool green, and now pool blue is chosen, whose patch blue was not "
    )
    assert done.stderr.endswith("or name it on the command line (-P blue) or as POOLS_POOL=blue\n")
    assert len(starts(shop)) == 2


def test_an_unknown_pool_is_refused_at_once(shop: Site) -> None:
    settings(shop, "worker_pool = 'gren'")
    done = shop.command("work", "-A", "shopapp")
    assert done.returncode == 2
    assert done.stderr.startswith("pools: no installed plugin offers a pool named 'gren' (did you mean green")
    assert len(starts(shop)) == 1


def test_a_process_that_is_no_command_is_told_what_to_do(shop: Site) -> None:
    error = shop.error("from pools import restart; restart.with_pool('green')")
    assert error.startswith("pools.errors.PatchError: pool green needs the patch green, and it was not applied: run")


def test_a_fork_of_a_command_never_takes_itself_for_it(shop: Site) -> None:
    settings(
        shop,
        "import os\nif not os.fork():\n    from pools import restart\n    try: restart.with_pool('green')\n"
        "    except Exception as error: os.write(2, str(error)[:23].encode())\n    os._exit(0)\n"
        "os.wait(); worker_pool = 'alpha'",
    )
    done = shop.command("work", "-A", "shopapp")
    assert (done.returncode, done.stderr) == (0, "pool green needs the pa")
    assert len(starts(shop)) == 1


def test_a_program_under_exec_may_choose_as_well(shop: Site) -> None:
    choose = "from pools import restart\nrestart.with_pool('green')\n"
    (shop.path / "program.py").write_text(f"import sys\n{choose}import green\nprint(green.applied, sys.argv[1:])")
    done = shop.command("exec", "-P", "alpha", "program.py", "-x", "1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[{}] ['-x', '1']\n", "")
    assert "POOLS_RESTARTED_WITH" not in os.environ
