"""What a pool says, when it opens, of what its patch came too late for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.doctor.doctor import PATCH, POOLS, write


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60.0, check=False
    )


def program(first: str, pool: str, options: str = "") -> str:
    return f"import net\n{first}\nimport pools\nfor _ in range(2):\n    pools.open({pool!r}, 1{options}).stop()\n"


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("by", ["pools", "itself"])
def test_a_warning_names_the_first_findings_and_the_line_to_run(tmp_path: Path, pool: str, by: str) -> None:
    first = PATCH[pool].replace("warnings.simplefilter('ignore')", "None")
    first = first if by == "itself" else f"import pools; pools.patch({pool!r})"
    write(tmp_path, {"main.py": program(first, pool), "net.py": "from socket import socket\n"})
    done = run(tmp_path, "main.py", "with", "arguments")
    told = [line for line in done.stderr.splitlines() if "PatchWarning" in line]
    assert done.returncode == 0, done.stderr
    assert len(told) == 1, done.stderr
    assert told[0].startswith(f"{tmp_path / 'main.py'}:5: PatchWarning: pool {pool} may block")
    assert f"net.socket is the original socket.socket ({tmp_path / 'net.py'}, line 1)" in told[0]
    assert told[0].endswith(f": pools doctor -P {pool} main.py with arguments")


@pytest.mark.parametrize("setting", [", patch_audit='error'", "POOLS_PATCH_AUDIT"])
def test_it_can_be_an_error(tmp_path: Path, setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options = setting if setting[0] == "," else ""
    if not options:
        monkeypatch.setenv(setting, "error")
    write(tmp_path, {"main.py": program(PATCH["gevent"], "gevent", options), "net.py": "from socket import socket\n"})
    done = run(tmp_path, "main.py")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("pools.errors.PatchError: pool gevent may block")


def test_it_can_be_off(tmp_path: Path) -> None:
    source = program(PATCH["gevent"], "gevent", ", patch_audit='off'")
    write(tmp_path, {"main.py": source, "net.py": "from socket import socket\n"})
    done = run(tmp_path, "-W", "error", "main.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mode_that_is_none_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", "import pools; pools.open('threads', patch_audit='loud')")
    assert done.stderr.splitlines()[-1] == (
        'pools.errors.UsageError: patch_audit=\'loud\': not "warn", "error" or "off"'
    )
