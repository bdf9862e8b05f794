"""``pools exec`` runs a program as python does."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.core.fake_plugins import Site

REPORT = """
import json, sys
names = ("__name__", "__file__", "__package__", "__cached__")
print(json.dumps({
    "argv": sys.argv,
    "path": sys.path[0],
    "here": sys.modules["__main__"].__dict__ is globals(),
    "spec": __spec__ and __spec__.name,
    "loader": type(__loader__).__name__,
    **{name: globals().get(name, "unset") for name in names},
}))
"""


@pytest.fixture
def exec_site(site: Site) -> Site:
    """A site with a pool, some programs, and a folder ``inner`` with others."""
    site.pool("alpha")
    site.module("script", REPORT)
    for folder in ("inner", "package"):
        (site.path / folder).mkdir()
    (site.path / "inner" / "script.py").write_text(REPORT)
    (site.path / "inner" / "__main__.py").write_text(REPORT)
    (site.path / "package" / "__init__.py").touch()
    (site.path / "package" / "__main__.py").write_text(REPORT)
    (site.path / "package" / "part.py").write_text(REPORT)
    with zipfile.ZipFile(site.path / "program.zip", "w") as archive:
        archive.writestr("__main__.py", REPORT)
    return site


@pytest.mark.parametrize(
    "line",
    [
        "script.py",
        "script.py a -P other --help -- -x",
        "inner/script.py a",
        "inner a",
        "program.zip a",
        "-m script a -P other",
        "-m package -m other",
        "-m package.part",
    ],
)
def test_a_program_finds_what_it_finds_under_python(exec_site: Site, line: str) -> None:
    ours = exec_site.command("exec", "-P", "alpha", *line.split())
    assert (ours.returncode, ours.stderr) == (0, "")
    pythons = exec_site.run(*line.split())
    assert json.loads(ours.stdout) == json.loads(pythons.stdout)


def test_code_of_the_command_line(exec_site: Site) -> None:
    code = "import sys; print(sys.argv, repr(sys.path[0]), __name__, '__file__' in globals())"
    for arguments in (["-c", code, "a", "-P"], [f"-c{code}", "a"]):
        ours = exec_site.command("exec", "-P", "alpha", *arguments)
        assert ours.stderr == ""
        assert ours.stdout == exec_site.run(*arguments).stdout


def test_the_way_in_makes_no_difference(exec_site: Site) -> None:
    command = Path(sys.executable).with_name("pools")
    arguments = ["exec", "-P", "alpha", "inner/script.py", "x"]
    by_script = subprocess.check_output([command, *arguments], env=exec_site.environment, cwd=exec_site.path, text=True)
    assert json.loads(by_script) == json.loads(exec_site.command(*arguments).stdout)


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(7)",
        "raise SystemExit('a message')",
        "raise SystemExit",
        "import sys; sys.exit(300)",
        "def f():\n    1 / 0\nf()",
        "x = (",
        "import no_such_module",
        "from pools.errors import UsageError\nraise UsageError('of the program')",
        "import click\nraise click.UsageError('of the program')",
        "raise BrokenPipeError",
        "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('second') from error",
        "import sys; sys.excepthook = lambda *a: print('hook', a[0].__name__, file=sys.stderr)\n1 / 0",
        "import threading, time\nthreading.Timer(0.05, lambda: print(__import__('__main__').late)).start()\nlate = 1",
        "import atexit\natexit.register(lambda: print('bye', __import__('__main__').x))\nx = 1",
        "print(0x1 + (lambda: 1).__code__.co_flags)",
    ],
)
def test_the_end_of_a_program_is_its_own(exec_site: Site, code: str) -> None:
    exec_site.module("program", code)
    ours = exec_site.command("exec", "-P", "alpha", "program.py")
    pythons = exec_site.run("program.py")
    assert (ours.returncode, ours.stdout) == (pythons.returncode, pythons.stdout)
    assert ours.stderr.replace(str(exec_site.path) + "/", "") == pythons.stderr.replace(str(exec_site.path) + "/", "")


def test_an_interrupted_program_ends_with_130(exec_site: Site) -> None:
    exec_site.module("program", "raise KeyboardInterrupt")
    done = exec_site.command("exec", "-P", "alpha", "program.py")
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_a_program_may_start_processes_that_import_it(exec_site: Site) -> None:
    exec_site.module(
        "program",
        """
import multiprocessing

def work(number):
    return number + 1

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(work, (1,)))
""",
    )
    done = exec_site.command("exec", "-P", "alpha", "program.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")


def test_a_program_opens_the_pool_that_it_is_run_with(exec_site: Site) -> None:
    exec_site.module("program", "import pools\nwith pools.open() as pool:\n    print(pool.name)")
    done = exec_site.command("exec", "-P", "alpha", "program.py", POOLS_POOL="other")
    assert (done.returncode, done.stdout, done.stderr) == (0, "alpha\n", "")
