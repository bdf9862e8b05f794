"""What the doctor looks at, when, and who is at fault: programs, modules, start-up files, and how programs end."""

from __future__ import annotations

import json
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.doctor.doctor import PATCH, POOLS, examine, run_doctor, write

NET = "from socket import socket\n"


def faults(report: dict[str, Any]) -> dict[tuple[str, str], tuple[str, int]]:
    """Return the file and line at fault for each finding."""
    return {
        (stale["module"], stale["attribute"]): (Path(stale["imported_by"]["file"]).name, stale["imported_by"]["line"])
        for stale in report["stale"]
    }


@pytest.mark.parametrize("pool", POOLS)
def test_a_program_has_its_own_names_looked_at_too(tmp_path: Path, pool: str) -> None:
    write(
        tmp_path, {"main.py": f"import time\nfrom time import sleep\nlock = sleep\n{PATCH[pool]}\nnow = time.sleep\n"}
    )
    report = examine(tmp_path, pool, "main.py")
    assert faults(report) == {("__main__", "sleep"): ("main.py", 2), ("__main__", "lock"): ("main.py", 3)}
    assert report["patched"] == {"file": str(tmp_path / "main.py"), "line": 4}


@pytest.mark.parametrize("pool", POOLS)
def test_what_a_library_imports_when_it_is_called_is_laid_to_the_call(tmp_path: Path, pool: str) -> None:
    """Neither line of the program's own imports ``late`` by a statement, and no import of the library does either."""
    write(
        tmp_path,
        {
            "lib/site-packages/lazy.py": "def __getattr__(name):\n    import late\n    return getattr(late, name)\n",
            "lib/site-packages/late.py": NET,
            "main.py": f"import sys\nsys.path.append('lib/site-packages')\nimport lazy\n\nlazy.socket\n{PATCH[pool]}\n",
        },
    )
    assert faults(examine(tmp_path, pool, "main.py")) == {("late", "socket"): ("main.py", 5)}


def test_what_the_command_line_names_is_laid_to_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("grpc")
    report = examine(tmp_path, "gevent", "-A", "grpc")
    assert [stale["imported_by"] for stale in report["stale"]] == [{"file": "<command line>", "line": 1}]


def test_a_package_is_run_as_python_runs_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/__main__.py": "from . import net\nimport pools\npools.patch('gevent')\n",
            "shop/net.py": NET,
        },
    )
    assert faults(examine(tmp_path, "gevent", "-m", "shop")) == {("shop.net", "socket"): ("__main__.py", 1)}


@pytest.mark.parametrize("pool", POOLS)
def test_modules_are_imported_patched(tmp_path: Path, pool: str) -> None:
    write(
        tmp_path, {"shop.py": "import requests\nfrom socket import socket\nimport threading\nlock = threading.Lock()\n"}
    )
    assert examine(tmp_path, pool, "-A", "shop", "-A", "json")["stale"] == []


@pytest.mark.parametrize(
    ("end", "code"),
    [("raise SystemExit(7)", 7), ("1 / 0", 1), ("import os; os._exit(3)", 3), ("import sys; sys.exit('bad')", 1)],
)
def test_however_a_program_ends_it_is_reported(tmp_path: Path, end: str, code: int) -> None:
    write(tmp_path, {"main.py": f"import net\n{PATCH['gevent']}\nprint('said')\n{end}\n", "net.py": NET})
    done = run_doctor(tmp_path, "gevent", "--json", "main.py")
    report = json.loads(done.stdout)
    assert (done.returncode, report["exit_code"]) == (1, code)
    assert faults(report) == {("net", "socket"): ("main.py", 1)}
    assert "said" in done.stderr


def test_a_program_without_findings_is_clean_whatever_it_exits_with(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": f"{PATCH['gevent']}\nraise SystemExit(7)\n"})
    done = run_doctor(tmp_path, "gevent", "main.py")
    assert (done.returncode, done.stdout) == (
        0,
        "pools doctor, pool gevent: nothing was patched too late, patched at main.py:1\n",
    )


def test_a_program_that_is_never_patched_is_told_so(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": "import pools\n\npools.open('gevent')\n"})
    (stale,) = examine(tmp_path, "gevent", "main.py")["stale"]
    assert (stale["kind"], stale["imported_by"]) == ("patch", {"file": str(tmp_path / "main.py"), "line": 3})
    assert stale["advice"].startswith("the program never applies the patch gevent: run it with `pools exec -P gevent")


def test_what_a_running_function_has_is_found_where_it_patches(tmp_path: Path) -> None:
    source = f"import threading\ndef main():\n    lock = threading.Lock()\n    {PATCH['gevent']}\nmain()\n"
    write(tmp_path, {"main.py": source})
    (stale,) = examine(tmp_path, "gevent", "main.py")["stale"]
    assert (stale["attribute"], stale["original"], stale["kind"]) == (
        "main.<locals>.lock",
        "threading.Lock",
        "instance",
    )


@pytest.fixture
def environment_of_its_own(tmp_path: Path) -> Path:
    """The python of a virtual environment whose start-up files import: a ``.pth`` file, and sitecustomize."""
    venv.create(tmp_path / "venv", with_pip=False)
    (packages,) = (tmp_path / "venv").glob("lib/*/site-packages")
    installed = sysconfig.get_paths()["purelib"]
    write(
        packages,
        {
            "aa.pth": f"import site; site.addsitedir({installed!r})\n",
            "zz.pth": "# a comment\nimport by_pth\n",
            "by_pth.py": NET,
            "sitecustomize.py": "import os\nimport customized\n",
            "customized.py": NET,
        },
    )
    return tmp_path / "venv" / "bin" / "python"


@pytest.mark.parametrize("arguments", [["main.py"], ["-A", "empty"]], ids=["program", "modules"])
def test_what_start_up_files_import_is_found(
    tmp_path: Path, environment_of_its_own: Path, arguments: list[str]
) -> None:
    write(tmp_path, {"main.py": PATCH["gevent"], "empty.py": ""})
    report = examine(tmp_path, "gevent", *arguments, python=environment_of_its_own)
    assert faults(report) == {("by_pth", "socket"): ("zz.pth", 2), ("customized", "socket"): ("sitecustomize.py", 2)}


def test_the_program_finds_its_environment_as_it_is(tmp_path: Path) -> None:
    code = "import os, site, sys; print(os.environ.get('PYTHONPATH'), site.__file__, sys.flags, sys.path[1:])"
    write(tmp_path, {"main.py": f"{code}\n{PATCH['gevent']}"})
    path = {"PYTHONPATH": str(tmp_path / "lib")}
    done = run_doctor(tmp_path, "gevent", "main.py", environment=path)
    assert done.stdout.startswith(f"{tmp_path / 'lib'} ")
    assert "early" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "pools doctor: Name either modules, each with -A, or a program"),
        (["-A", "a", "main.py"], "pools doctor: Name either modules, each with -A, or a program"),
        (["no.py"], "pools: cannot read the program no.py: No such file or directory"),
        (["-m", "no_such_module"], "pools: there is no module no_such_module to run"),
        (["-A", "no_such_module"], "pools: there is no module no_such_module to import"),
    ],
)
def test_what_cannot_be_examined_is_one_line_and_code_2(tmp_path: Path, arguments: list[str], error: str) -> None:
    done = run_doctor(tmp_path, "gevent", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(error)
    assert done.stderr.count("\n") == 1


def test_a_pool_without_patches_has_nothing_to_find(tmp_path: Path) -> None:
    done = run_doctor(tmp_path, "threads", "-A", "json")
    assert done.returncode == 2
    assert done.stderr.startswith("pools doctor: Pool threads needs no patch, so there is nothing to find.")
