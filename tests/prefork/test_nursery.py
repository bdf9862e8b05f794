"""The nursery: children start, are told apart, die and are reported, and nothing is left, however the host ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pools.errors import UsageError
from pools.testing.leftovers import holdings, leftovers
from pools_prefork.descriptors import ChildDescriptors
from pools_prefork.process import Nursery
from pools_prefork.reports import Born, Died, NurseryDied
from tests.prefork import nurseries
from tests.prefork.nurseries import home

ROOT = Path(__file__).parents[2]
METHODS = ("fork", "forkserver", "spawn")

#: In which a program may import this test's helpers.
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}

each_method = pytest.mark.parametrize("method", METHODS)

# What runs the tests may have threads, and where they do a fork is what the test asked for.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def run(code: str, *arguments: str, cwd: Path | None = None, stdin: str | None = None) -> str:
    """Run a program; returns what it printed."""
    command = [sys.executable, *(arguments or ("-c", textwrap.dedent(code)))]
    done = subprocess.run(
        command, input=stdin, text=True, capture_output=True, env=ENVIRONMENT, cwd=cwd, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


# -- Birth and death ---------------------------------------------------------------------------------------------------


@each_method
def test_children_are_born_of_the_nursery_and_each_ends_alone(method: str) -> None:
    with home(method, nurseries.family) as found:
        assert found.nursery.start_method == method
        found.bear(1, 2, 3)
        pids = {number: found.report(Born, number).pid for number in (1, 2, 3)}
        for number, pid in pids.items():
            assert found.answer(number) == (pid, found.nursery.pid)
        assert len({os.getpid(), found.nursery.pid, *pids.values()}) == 5
        # No sibling, born before or after, holds the other end of its pipe.
        for number in (2, 1, 3):
            found.dismiss(number)
            assert found.report(Died, number).exit_code == 0


@each_method
def test_the_exit_code_of_a_child_is_reported(method: str) -> None:
    with home(method, nurseries.exit_with_3) as found:
        found.bear(1)
        died = found.report(Died, 1)
    assert (died.exit_code, died.signal, died.reason) == (3, None, "")


@each_method
def test_a_child_that_raises_prints_its_traceback_and_exits_with_1(
    method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with home(method, nurseries.fail) as found:
        found.bear(1)
        assert found.report(Died, 1).exit_code == 1
    assert "ValueError: as it must" in capfd.readouterr().err


def test_the_signal_that_killed_a_child_is_reported() -> None:
    with home("fork", nurseries.segfault) as found:
        found.bear(1)
        died = found.report(Died, 1)
    assert (died.exit_code, died.signal) == (None, signal.SIGSEGV)


def test_the_peak_of_a_childs_memory_is_reported_in_kib() -> None:
    with home("fork", nurseries.use_memory) as found:
        found.bear(1)
        found.dismiss(1)
        assert 100 << 10 < found.report(Died, 1).peak_memory < 1 << 20


@each_method
def test_the_host_signals_a_child_until_its_death_is_known(method: str) -> None:
    with home(method, nurseries.family) as found:
        found.bear(1)
        process = found.report(Born, 1).process
        found.answer(1)
        assert process.send(signal.SIGKILL)
        assert found.report(Died, 1).signal == signal.SIGKILL


def test_asking_for_many_children_never_blocks_and_all_are_born() -> None:
    with home("fork", nurseries.family) as found:
        os.kill(found.nursery.pid, signal.SIGSTOP)
        numbers = range(320)  # more than the socket has room for
        began = time.monotonic()
        for number in numbers:
            own = [os.open(os.devnull, os.O_RDWR) for _ in range(3)]
            found.nursery.bear(number, ChildDescriptors(*own))
        assert time.monotonic() - began < 5
        os.kill(found.nursery.pid, signal.SIGCONT)
        for number in numbers:
            found.report(Born, number)
            assert found.report(Died, number).exit_code == 0


# -- What a child starts with ------------------------------------------------------------------------------------------


@each_method
def test_a_child_takes_nothing_of_the_hosts_for_its_own(method: str) -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    usual = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)}
    wakeup = signal.set_wakeup_fd(ours.fileno())
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with home(method, nurseries.condition) as found:
            found.bear(1)
            condition = found.answer(1)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.set_wakeup_fd(wakeup)
        for number, handler in usual.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()
    assert condition == {
        "handlers": [],
        "SIGINT": signal.SIG_IGN,
        "SIGTERM": signal.SIG_DFL,
        "SIGCHLD": signal.SIG_DFL,
        "SIGHUP": signal.SIG_IGN,  # as under nohup
        "mask": [],
        "wakeup": -1,
        "stdin": b"",
        "stdin is": "/dev/null",
        "daemon": (False, False),
        "threads": 1,
    }


@each_method
def test_every_child_draws_other_random_numbers(method: str) -> None:
    with home(method, nurseries.draw) as found:
        found.bear(1, 2)
        assert found.answer(1) != found.answer(2)


@each_method
def test_a_child_has_no_socket_of_its_pool_nor_of_another(method: str) -> None:
    before = set(nurseries.sockets())
    with home(method, nurseries.sockets) as other, home(method, nurseries.sockets) as found:
        other.bear(1)
        found.bear(1)
        assert set(other.answer(1)) | set(found.answer(1)) <= before


def test_under_fork_nothing_is_pickled() -> None:
    secret = object()
    with home("fork", lambda: id(secret)) as found:
        found.bear(1)
        assert found.answer(1) == id(secret)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_what_cannot_be_pickled_is_refused_with_what_to_do(method: str) -> None:
    before = holdings()
    message = rf'start by {method}, .* cannot be: .*lambda.* start_method="fork"'
    with pytest.raises(UsageError, match=message), home(method, lambda: None):
        pytest.fail("it started")
    assert not leftovers(before)


@each_method
def test_a_job_may_start_processes(method: str) -> None:
    with home(method, nurseries.use_processes) as found:
        found.bear(1)
        assert found.answer(1) == ["42\n", [42], 0, [42], 0]


def test_the_processes_of_the_host_do_not_end_with_a_child() -> None:
    mine = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,), daemon=True)
    mine.start()
    try:
        with home("fork", nurseries.family) as found:
            found.bear(1)
            found.answer(1)
            found.dismiss(1)
            assert found.report(Died, 1).exit_code == 0
        assert mine.is_alive()
    finally:
        mine.kill()
        mine.join()
        mine.close()


@each_method
def test_handlers_of_atexit_run_in_the_host_alone(method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"""
import atexit
from tests.prefork.nurseries import Died, family, home
atexit.register(print, "the end")
if __name__ == "__main__":
    with home("{method}", family) as found:
        found.bear(1)
        found.answer(1)
        found.dismiss(1)
        print(found.report(Died, 1).exit_code)
""")
    assert run("", str(program)) == "0\nthe end\n"


# -- The end -----------------------------------------------------------------------------------------------------------


@each_method
def test_nothing_is_left_after_a_stop_with_living_children(method: str) -> None:
    with home(method, nurseries.family):  # the first use of a method may leave what later ones share
        pass
    before = holdings()
    with home(method, nurseries.family) as found:
        found.bear(1, 2, 3)
        pids = [found.report(Born, number).pid for number in (1, 2, 3)]
        found.answer(1)
        nursery = found.nursery.pid
    assert not [pid for pid in (*pids, nursery) if is_alive(pid)]
    assert not leftovers(before)


def test_a_stop_with_requests_under_way_leaves_nothing() -> None:
    before = holdings()
    with home("fork", nurseries.family) as found:
        found.bear(*range(20))
    assert not leftovers(before)


def test_a_stopped_nursery_is_killed_with_its_children() -> None:
    before = holdings()
    with home("fork", nurseries.family) as found:
        found.bear(1)
        pid = found.report(Born, 1).pid
        os.kill(pid, signal.SIGSTOP)
        os.kill(found.nursery.pid, signal.SIGSTOP)
    assert not is_alive(pid)
    assert not leftovers(before)


@each_method
def test_children_outlive_their_nursery_and_the_next_one_bears_more(method: str) -> None:
    before = holdings()
    with home(method, nurseries.family) as found:
        found.bear(1)
        child = found.report(Born, 1).process
        found.answer(1)
        os.kill(found.nursery.pid, signal.SIGKILL)
        assert found.report(NurseryDied) == NurseryDied(signal=signal.SIGKILL)
        assert is_alive(child.pid)
        found.nursery.start()
        found.bear(2)
        assert found.answer(2) == (found.report(Born, 2).pid, found.nursery.pid)
        assert child.send(signal.SIGTERM)
        assert found.report(Died, 1) == Died(1)
    assert not leftovers(before)


def test_the_children_of_a_nursery_that_died_end_with_the_pool() -> None:
    with home("fork", nurseries.family) as found:
        found.bear(1)
        pid = found.report(Born, 1).pid
        os.kill(found.nursery.pid, signal.SIGKILL)
        found.report(NurseryDied)
    assert not is_alive(pid)


def test_a_child_that_its_nursery_did_not_live_to_bear_is_reported() -> None:
    with home("fork", nurseries.family) as found:
        os.kill(found.nursery.pid, signal.SIGSTOP)
        found.bear(1)
        os.kill(found.nursery.pid, signal.SIGKILL)
        found.report(NurseryDied)
        assert found.report(Died, 1).reason == "the nursery died before"


def test_a_nursery_does_not_mind_a_sigterm_to_all() -> None:
    with home("fork", nurseries.family) as found:
        found.bear(1)
        found.answer(1)
        os.kill(found.nursery.pid, signal.SIGTERM)
        found.bear(2)
        assert found.answer(2)


KILLED_HOST = """
    import os, sys, threading, time
    from functools import partial
    from tests.prefork.nurseries import Born, Home, Nursery, answer, busy

    homes = []

    def begin():
        for how in ("idle", "python", "C"):
            home = Home(Nursery(how, {method!r}, answer, partial(busy, how)))
            home.nursery.start()
            homes.append(home)

    if __name__ == "__main__":
        thread = threading.Thread(target=begin)
        thread.start()
        thread.join()
        pids = []
        for home in homes:
            home.bear(1)
            pids += [home.report(Born).pid, home.nursery.pid]
        # One that the host has forked, and that stays.
        stranger = os.fork()
        if not stranger:
            os.close(1)
            time.sleep(1000)
        print(stranger, *pids, flush=True)
        time.sleep(1000)
"""


@each_method
def test_nobody_outlives_a_host_that_is_killed(method: str) -> None:
    code = textwrap.dedent(KILLED_HOST.format(method=method))
    environment = {**ENVIRONMENT, "PYTHONWARNINGS": "ignore"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as host:
        assert host.stdout is not None
        stranger, *pids = map(int, host.stdout.readline().split())
        try:
            assert len(pids) == 6
            # Those that start as interpreters of their own are killed while they start, or later: all the same.
            assert all(is_alive(pid) for pid in pids)
            host.kill()
            host.wait()
            give_up_at = time.monotonic() + 2
            while alive := [pid for pid in pids if is_alive(pid)]:
                assert time.monotonic() < give_up_at, alive
                time.sleep(0.01)
            assert is_alive(stranger)
        finally:
            os.kill(stranger, signal.SIGKILL)


def test_a_process_that_the_host_forks_has_no_part_in_the_nursery() -> None:
    with home("fork", nurseries.family) as found:
        found.bear(1)
        found.answer(1)
        pid = os.fork()
        if not pid:
            found.nursery.stop()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert is_alive(found.nursery.pid)
        found.dismiss(1)
        assert found.report(Died, 1).exit_code == 0


# -- The start method --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("thread", "expected"),
    [
        ("pass", "fork"),
        ("from pools.thread_loop import ThreadLoop; ThreadLoop().start()", "fork"),
        ("from pools.timer import ThreadTimer; timer = ThreadTimer(); timer.call_after(1000.0, int)", "fork"),
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "forkserver"),
        ("import _thread; _thread.start_new_thread(_thread.allocate_lock().__enter__, ())", "fork"),
        ("import _thread, time; _thread.start_new_thread(time.sleep, (1000,))", "forkserver"),
    ],
    ids=["alone", "our loop", "our timer", "a thread", "a thread that has ended", "a thread that Python does not list"],
)
def test_by_default_a_host_is_forked_only_when_it_is_safe(thread: str, expected: str) -> None:
    code = f"""
import warnings; warnings.simplefilter("error")
from tests.prefork.nurseries import family, home
{thread}
with home(None, family) as found:
    found.bear(1)
    found.answer(1)
    print(found.nursery.start_method)
"""
    assert run(code) == f"{expected}\n"


MAIN = """
from tests.prefork.nurseries import home
def here():
    return __name__
if __name__ == "__main__":
    with home("{method}", here) as found:
        found.bear(1)
        print(found.answer(1))
"""


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
@pytest.mark.parametrize("arguments", [("program.py",), ("-m", "package.program")], ids=["a script", "a module"])
def test_functions_of_the_main_module_are_there_in_children(
    method: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "program.py").write_text(MAIN.format(method=method))
    (tmp_path / "program.py").write_text(MAIN.format(method=method))
    assert run("", *arguments, cwd=tmp_path) == "__mp_main__\n"


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_a_program_from_standard_input_has_children(method: str) -> None:
    program = f"""
from tests.prefork.nurseries import family, home
with home("{method}", family) as found:
    found.bear(1)
    print(len(found.answer(1)))
"""
    assert run("", "-", stdin=program) == "2\n"


def test_a_nursery_that_cannot_unpickle_what_the_children_are_given_says_so() -> None:
    program = """
from tests.prefork.nurseries import NurseryDied, home
def here():
    pass
with home("forkserver", here) as found:
    died = found.report(NurseryDied)
    print(died.exit_code, died.reason.splitlines()[-1])
"""
    printed = run("", "-", stdin=program)
    assert printed.startswith("1 AttributeError: ")
    assert "'here'" in printed


def test_a_main_module_without_its_guard_is_told_of_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("""
from tests.prefork.nurseries import NurseryDied, family, home
with home("forkserver", family) as found:
    print(found.report(NurseryDied).exit_code)
""")
    done = subprocess.run(
        [sys.executable, str(program)],
        text=True,
        capture_output=True,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert 'if __name__ == "__main__":' in done.stderr


def test_a_nursery_is_made_for_nothing_if_it_is_never_started() -> None:
    before = holdings()
    Nursery("test", None, nurseries.answer, nurseries.family).stop()
    assert not leftovers(before)
