"""The command ``pools worker``, and our pools under Celery's own command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.celery.lab import PATIENCE, Lab, is_alive, wait_for

MakeLab = Callable[..., Lab]


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[MakeLab]:
    """Makes workers whose broker is files; they are up when they wrote that they are ready."""
    made: list[Lab] = []
    results = tmp_path / "results"
    results.mkdir()

    def make(pool: str | None, *options: str, ours: bool = True, **environment: str) -> Lab:
        lab = Lab(tmp_path, "files://", f"file://{results}", pool, *options, ours=ours, environment=environment)
        made.append(lab)
        assert wait_for(lambda: " ready." in lab.log.read_text(), 60.0), lab.log.read_text()
        return lab

    yield make
    for lab in made:
        lab.close()


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is to end by itself."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *command],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TESTS_BROKER": "memory://", **environment},
        cwd=Path(__file__).parents[2],
        check=False,
    )


def test_help_is_celerys() -> None:
    done = run("pools", "worker", "--help")
    assert done.returncode == 0
    assert "--max-tasks-per-child" in done.stdout
    assert "Run a Celery worker on a pool." in run("pools", "--help").stdout


@pytest.mark.parametrize("pool", ["nosuch", "no:Such"])
def test_a_pool_that_is_not_there(pool: str) -> None:
    done = run("pools", "worker", "-A", "tests.celery.tasks", "-P", pool)
    assert done.returncode == 2
    assert done.stderr.startswith("pools: ")
    assert pool in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_beat_is_refused_beside_greenlets(pool: str) -> None:
    done = run("pools", "worker", "-A", "tests.celery.tasks", "-P", pool, "-B")
    assert done.returncode != 0
    assert "-B option doesn't work with eventlet/gevent pools" in done.stdout + done.stderr


def test_options_of_celery_and_of_its_worker_in_any_order(make_lab: MakeLab, tmp_path: Path) -> None:
    lab = make_lab("threads", "-c2", "--no-color", "--pidfile", str(tmp_path / "pid"), "-q", "--loglevel=DEBUG")
    assert (tmp_path / "pid").read_text().strip() == str(lab.process.pid)
    assert "- ** ----------" not in lab.log.read_text()  # -q, and so no banner
    assert lab.send("add", 1, 2).get(timeout=PATIENCE) == 3


def test_in_the_background(tmp_path: Path) -> None:
    """What goes on there is ``pools worker`` still."""
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    options = ["-P", "gevent", "-D", "--pidfile", str(pidfile), "--logfile", str(log), "-l", "INFO"]
    environment = {"TESTS_BROKER": "files://", "TESTS_FOLDER": str(tmp_path)}
    assert run("pools", "worker", "-A", "tests.celery.tasks", *options, **environment).returncode == 0
    assert wait_for(lambda: log.exists() and " ready." in log.read_text(), 2 * PATIENCE)
    pid = int(pidfile.read_text())
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    os.kill(pid, signal.SIGTERM)
    assert b"pools\0worker" in command
    assert wait_for(lambda: not is_alive(pid))


def test_the_application_names_the_pool(make_lab: MakeLab) -> None:
    """It is imported for that, and the process starts itself again, patched, once."""
    lab = make_lab(None, TESTS_WORKER_POOL="gevent")
    assert "concurrency: 7 (gevent)" in lab.log.read_text()
    assert "worker_pool setting shouldn't be used" not in lab.log.read_text()
    results = [lab.send("sleep", 0.5) for _ in range(7)]
    assert [result.get(timeout=PATIENCE) for result in results] == [0.5] * 7


def test_a_third_partys_pool(make_lab: MakeLab) -> None:
    """What it cannot do is refused in words, and never ignored."""
    lab = make_lab("tests.celery.lent:Pool", "-c", "2", "--max-tasks-per-child", "3")
    assert "pool lent has no children to replace" in lab.log.read_text()
    assert lab.send("add", 1, 2).get(timeout=PATIENCE) == 3
    refused = lab.send("sleep", 0.1, soft_time_limit=5)
    with pytest.raises(Exception, match="pool lent has no soft limits"):
        refused.get(timeout=PATIENCE)


def test_celerys_own_command(make_lab: MakeLab) -> None:
    """``-P custom`` patches in time."""
    settings = {"CELERY_CUSTOM_WORKER_POOL": "pools_celery:TaskPool", "POOLS_POOL": "gevent"}
    lab = make_lab("custom", "-c", "2", ours=False, **settings)
    assert "concurrency: 2 (gevent)" in lab.log.read_text()
    assert lab.send("add", 1, 2).get(timeout=PATIENCE) == 3


def test_the_class_as_a_setting(make_lab: MakeLab) -> None:
    """No patch is needed for threads."""
    settings = {"TESTS_WORKER_POOL": "pools_celery:TaskPool", "POOLS_POOL": "threads"}
    lab = make_lab("prefork", "-c", "2", ours=False, **settings)
    assert "(threads)" in lab.log.read_text()
    assert lab.send("add", 1, 2).get(timeout=PATIENCE) == 3


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_are_the_workers(method: str, make_lab: MakeLab) -> None:
    """They have its application, and tell the tasks that they start and end."""
    lab = make_lab("prefork", "-c", "1", "--max-tasks-per-child", "1", "--pool-start-method", method)
    first, second = (lab.send("pid").get(timeout=PATIENCE) for _ in range(2))
    assert first != second
    assert wait_for(lambda: str(first) in lab.noted("shutdown"))
    assert {str(first), str(second)} <= set(lab.noted("init"))


def test_a_worker_in_a_thread_of_a_test() -> None:
    """``celery.contrib.testing``."""
    code = (
        "from celery.contrib.testing.worker import start_worker; from tests.celery.tasks import app, add;"
        "import celery.contrib.testing.tasks;"
        "app.conf.result_backend = 'cache+memory://';"
        "worker = start_worker(app, pool='pools_celery:TaskPool', concurrency=2, perform_ping_check=False);"
        "worker.__enter__(); print(add.delay(1, 2).get(timeout=30)); worker.__exit__(None, None, None)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "TESTS_BROKER": "memory://", "POOLS_POOL": "threads"},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
