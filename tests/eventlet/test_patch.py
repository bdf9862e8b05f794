"""The patch of the eventlet pool, from outside: what it does, what it refuses, and the blocking detection."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.patched import check_patched, run_patched


def run(code: str, warnings: str = "error") -> subprocess.CompletedProcess[str]:
    """Run code in a process that nothing is patched in yet, with every warning an error."""
    return subprocess.run([sys.executable, "-W", warnings, "-c", code], capture_output=True, text=True, timeout=60.0)


def last_error(code: str) -> str:
    """Run code that raises; returns the last line of the traceback."""
    done = run(code)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr.splitlines()[-1]


def test_the_patch_is_silent_and_complete() -> None:
    """Eventlet's warning that it is deprecated is not for those who ask for its pool by name."""
    done = run(
        "import pools; pools.patch('eventlet')\n"
        "import socket, threading, time, eventlet.patcher as patcher\n"
        "assert all(map(patcher.is_monkey_patched, ['os', 'select', 'socket', 'subprocess', 'thread', 'time']))\n"
        "with pools.open('eventlet', 2) as pool: print(pool.submit(threading.local).result())"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "eventlet.corolocal.local" in done.stdout


def test_an_unpatched_pool_is_refused_with_what_to_do() -> None:
    for first in ("", "import warnings\nwith warnings.catch_warnings(action='ignore'): import eventlet\n"):
        error = last_error(f"{first}import pools; pools.open('eventlet')")
        assert error.startswith(
            "pools.errors.PatchError: pool eventlet needs the patch eventlet, and it was not applied"
        )
        assert "pools exec -P eventlet" in error


def test_the_program_may_patch_by_itself_or_not_at_all() -> None:
    own = "import warnings\nwith warnings.catch_warnings(action='ignore'): import eventlet\neventlet.monkey_patch()\n"
    for first, option in ((own, ""), ("", ", patch='off'")):
        done = run(
            f"{first}import pools\nwith pools.open('eventlet', 1{option}) as p: print(p.submit(abs, -1).result())"
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_looking_whether_it_is_applied_imports_nothing() -> None:
    done = run(
        "import sys; from pools_eventlet.patch import is_applied; print(is_applied(), 'eventlet' in sys.modules)"
    )
    assert done.stdout == "False False\n"


@pytest.mark.parametrize(("first", "second"), [("eventlet", "gevent"), ("gevent", "eventlet")])
@pytest.mark.parametrize("call", ["patch", "open"])
def test_gevent_and_eventlet_are_not_patched_into_one_process(first: str, second: str, call: str) -> None:
    assert last_error(f"import pools; pools.patch({first!r}); pools.{call}({second!r})") == (
        f"pools.errors.PatchError: the patch {second} conflicts with the patch {first}, which was applied: "
        "use pools of one of them in this process, and the others in processes of their own"
    )


IMPORT = {
    "gevent": "from gevent import monkey",
    "eventlet": "import warnings\nwith warnings.catch_warnings(action='ignore'): import eventlet",
}


@pytest.mark.parametrize(
    ("library", "own", "pool"),
    [
        ("gevent", "monkey.patch_all()", "eventlet"),
        ("gevent", "monkey.patch_socket()", "eventlet"),
        ("gevent", "monkey.patch_time()", "eventlet"),
        ("gevent", "monkey.patch_thread()", "eventlet"),
        ("eventlet", "eventlet.monkey_patch()", "gevent"),
        ("eventlet", "eventlet.monkey_patch(socket=True)", "gevent"),
        ("eventlet", "eventlet.monkey_patch(time=True)", "gevent"),
    ],
)
def test_a_conflict_with_what_the_program_patches_by_itself_names_both(library: str, own: str, pool: str) -> None:
    conflict = (
        f"the patch {pool} conflicts with the patch {library}, which was applied: "
        "use pools of one of them in this process, and the others in processes of their own\n"
    )
    ask = "try: pools.{}({!r})\nexcept pools.errors.PatchError as error: print(error)\n"
    before = f"{IMPORT[library]}\n{own}\nimport pools\n{ask.format('patch', pool)}{ask.format('open', pool)}"
    assert run(before).stdout == conflict * 2
    after = f"import pools; pools.patch({pool!r})\n{IMPORT[library]}\n{own}\n{ask.format('open', pool)}"
    assert run(after, "default").stdout == conflict, "gevent itself warns of what came before it"


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_the_other_library_may_be_imported_as_long_as_it_patches_nothing(library: str) -> None:
    pool = {"gevent": "eventlet", "eventlet": "gevent"}[library]
    code = f"{IMPORT[library]}\nimport pools; pools.patch({pool!r}); pools.open({pool!r}).stop(); print('open')"
    done = run(code, "default")
    assert (done.returncode, done.stdout) == (0, "open\n")


def test_an_ssl_that_was_imported_too_early_is_warned_of() -> None:
    """Its ``SSLContext``, taken before the patch, recurses without end as soon as it is configured."""
    assert "PatchWarning: ssl was imported before the patch eventlet" in last_error(
        "from ssl import SSLContext; import pools; pools.patch('eventlet')"
    )


@pytest.mark.parametrize("value", ["two", "0", "-1", "nan", "inf"])
def test_a_malformed_noblock_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EVENTLET_NOBLOCK", value)
    message = f"EVENTLET_NOBLOCK={value}: not a positive number of seconds"
    assert last_error("import pools; pools.patch('eventlet')") == f"pools.errors.ConfigError: {message}"
    done = run_patched("eventlet", "-c", "pass")
    assert done.returncode == 2
    assert message in done.stdout
    assert "Traceback" not in done.stdout


BLOCKING = """
import time
import pools
from pools.errors import TimeLimitExceeded

def compute():
    while True:
        sum(range(1000))

def compute_and_return(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass

with pools.open("eventlet", 1) as pool:
    detected = pool.apply_async(compute, timeout=30.0).exception()
    limited = pool.apply_async(compute, timeout=0.1).exception()
    waited = pool.apply_async(time.sleep, (0.6,)).exception()
    many = [pool.apply_async(compute_and_return, (0.05,)) for _ in range(20)]
    assert isinstance(detected, RuntimeError) and "Blocking detector ALARMED" in str(detected), detected
    assert isinstance(limited, TimeLimitExceeded), limited
    assert waited is None
    assert [job.exception() for job in many] == [None] * 20
"""


def test_noblock_turns_on_the_blocking_detection_beside_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes SIGALRM, the limits SIGURG; waiting does not count as blocking, nor do many short jobs in a row."""
    monkeypatch.setenv("EVENTLET_NOBLOCK", "0.5")
    assert check_patched("eventlet", "-c", BLOCKING) == ""


def test_without_noblock_nothing_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLET_NOBLOCK", "")
    code = "import pools; from eventlet import hubs; print(hubs.get_hub().debug_blocking)"
    assert check_patched("eventlet", "-c", code) == "False\n"
