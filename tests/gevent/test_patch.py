"""The patch of the gevent pool, from outside: what it does, what it refuses, and GEVENT_PATCHTHREAD."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.patched import check_patched, run_patched


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that nothing is patched in yet, with every warning an error."""
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60.0)


def test_the_patch_is_complete() -> None:
    done = run(
        "import pools; pools.patch('gevent')\n"
        "from gevent import monkey\n"
        "assert all(map(monkey.is_module_patched, ['os', 'select', 'socket', 'subprocess', 'threading', 'time']))\n"
        "with pools.open('gevent', 2) as pool: print(pool.submit(abs, -1).result())"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


@pytest.mark.parametrize("first", ["", "import gevent; "])
def test_an_unpatched_pool_is_refused_with_what_to_do(first: str) -> None:
    done = run(f"{first}import pools; pools.open('gevent')")
    error = done.stderr.splitlines()[-1]
    assert error.startswith("pools.errors.PatchError: pool gevent needs the patch gevent, and it was not applied")
    assert "pools exec -P gevent" in error


def test_the_program_may_patch_by_itself_or_not_at_all() -> None:
    own = "from gevent import monkey; monkey.patch_all()\n"
    for first, option in ((own, ""), ("", ", patch='off'")):
        done = run(f"{first}import pools\nwith pools.open('gevent', 1{option}) as p: print(p.submit(abs, -1).result())")
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_looking_whether_it_is_applied_imports_nothing() -> None:
    done = run("import sys; from pools_gevent.patch import is_applied; print(is_applied(), 'gevent' in sys.modules)")
    assert done.stdout == "False False\n"


def test_a_malformed_patchthread_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEVENT_PATCHTHREAD", "maybe")
    done = run_patched("gevent", "-c", "pass")
    assert done.returncode == 2
    assert "GEVENT_PATCHTHREAD=maybe: neither Y nor N" in done.stdout
    assert "Traceback" not in done.stdout


THREADS = """
import _thread
import threading
import time
import pools
from pools.errors import TimeLimitExceeded

main = _thread.get_ident()

def in_thread(call):
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    while thread.is_alive():
        time.sleep(0.001)
    return found[0]

with pools.open("gevent", 4) as pool:
    assert pool.submit(_thread.get_ident).result(5.0) == main
    assert pool.submit(in_thread, _thread.get_ident).result(5.0) != main
    assert [pool.submit(time.sleep, 0.1).result(5.0) for _ in range(2)] == [None, None]
    began = time.monotonic()
    naps = [pool.submit(time.sleep, 0.3) for _ in range(4)]
    assert [nap.result(5.0) for nap in naps] == [None] * 4
    assert time.monotonic() - began < 0.9, "the jobs slept one after another"
    assert pool.submit(in_thread, lambda: pool.submit(abs, -1).result(5.0)).result(5.0) == 1
    many = pool.submit(in_thread, lambda: [pool.submit(abs, -n) for n in range(2000)]).result(30.0)
    assert [future.result(5.0) for future in many] == list(range(2000))
    assert list(pool.map(abs, range(-100, 0))) == list(range(100, 0, -1))
    assert isinstance(pool.apply_async(time.sleep, (3600.0,), timeout=0.05).exception(5.0), TimeLimitExceeded)
    local = threading.local()
    pool.submit(setattr, local, "seen", True).result(5.0)
    assert local.seen, "without the patch of threads, greenlets of one thread share its locals"
assert threading.active_count() == 1
"""


def test_without_the_patch_of_threads_a_thread_is_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEVENT_PATCHTHREAD", "N")
    assert check_patched("gevent", "-c", THREADS) == ""


def test_with_it_a_thread_is_a_greenlet() -> None:
    code = (
        "import threading, pools\n"
        "from gevent import monkey\n"
        "ident = monkey.get_original('_thread', 'get_ident')\n"
        "def in_thread():\n"
        "    found = []\n"
        "    thread = threading.Thread(target=lambda: found.append(ident()))\n"
        "    thread.start()\n"
        "    thread.join()\n"
        "    return found[0]\n"
        "with pools.open('gevent', 1) as pool: print(pool.submit(in_thread).result(5.0) == ident())\n"
    )
    assert check_patched("gevent", "-c", code) == "True\n"
