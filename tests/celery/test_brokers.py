"""The same tasks through every kind of broker: RabbitMQ, files, and a Redis that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.celery.behaviours import (
    WORKS,
    eta,
    hard_limit_waiting,
    ping_while_computing,
    retries,
    revoke_computing,
    revoke_waiting,
    soft_limit_waiting,
    sys_exit,
    ten_megabytes,
)
from tests.celery.brokers import empty_databases
from tests.celery.lab import PATIENCE, Lab, wait_for

MakeLab = Callable[..., Lab]


@pytest.fixture
def make_lab(tmp_path: Path) -> Iterator[MakeLab]:
    made: list[Lab] = []

    def make(broker: str, backend: str, pool: str, *options: str, **environment: str) -> Lab:
        made.append(Lab(tmp_path, broker, backend, pool, *(options or ("-c", "3")), environment=environment))
        return made[-1].wait_until_up()

    yield make
    for lab in made:
        lab.close()


@pytest.mark.xdist_group("rabbitmq")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_rabbitmq(pool: str, rabbitmq_url: str, redis_url: str, make_lab: MakeLab) -> None:
    """Heartbeats go on while every slot is busy, and whatever a task may do is done."""
    _, backend = empty_databases(redis_url, 4)
    lab = make_lab(rabbitmq_url, backend, pool, TESTS_HEARTBEAT="2")
    results = [lab.send("sleep", 6.0) for _ in range(3)]
    assert [result.get(timeout=PATIENCE) for result in results] == [6.0] * 3
    for behaviour in (
        ten_megabytes,
        revoke_waiting,
        revoke_computing,
        ping_while_computing,
        soft_limit_waiting,
        retries,
    ):
        assert behaviour(lab) == WORKS
    assert "onnection to broker lost" not in lab.log.read_text()
    assert lab.signal(signal.SIGTERM) is not None
    assert lab.process.returncode == 0


@pytest.mark.parametrize("pool", ["prefork", "threads", "eventlet", "solo"])
def test_files_are_a_broker_too(pool: str, tmp_path: Path, make_lab: MakeLab) -> None:
    """There is no event loop then."""
    results = tmp_path / "results"
    results.mkdir()
    lab = make_lab("files://", f"file://{results}", pool, "-c", "1" if pool == "solo" else "3")
    assert lab.send("add", 1, 2).get(timeout=PATIENCE) == 3
    for behaviour in (hard_limit_waiting, soft_limit_waiting, sys_exit, eta):
        assert behaviour(lab) == WORKS, lab.log.read_text()[-5000:]
    assert lab.signal(signal.SIGTERM) is not None
    assert lab.process.returncode == 0


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # kombu leaves the client's that was cut
@pytest.mark.parametrize("pool", ["threads", "gevent"])
def test_a_broker_that_cuts_every_connection(pool: str, redis_url: str, make_lab: MakeLab) -> None:
    """What runs goes on, nothing runs twice, and new tasks are run."""
    broker, backend = empty_databases(redis_url, 6)
    lab = make_lab(broker, backend, pool)
    sign = lab.folder / "sign"
    running = lab.send("sleep", 2.0)
    lab.wait_until_running(1)
    with Redis.from_url(broker) as client:
        for kind in ("normal", "pubsub"):
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
    lab.send("mark", str(sign))
    assert wait_for(sign.exists), lab.log.read_text()[-5000:]
    assert running.get(timeout=PATIENCE) == 2.0
    time.sleep(0.5)
    assert sign.read_text() == "ran\n"
    assert lab.ping(PATIENCE)
    assert ping_while_computing(lab) == WORKS


@pytest.mark.parametrize("pool", ["threads", "gevent", "eventlet"])
@pytest.mark.parametrize("task", ["sleep", "sleep_late"])
def test_no_slot_waits_while_there_are_tasks(task: str, pool: str, redis_url: str, make_lab: MakeLab) -> None:
    """A worker that has prefetched all that it may asks for more as soon as it may have more."""
    broker, backend = empty_databases(redis_url, 10)
    lab = make_lab(broker, backend, pool, "-c", "2", "--prefetch-multiplier", "1")
    began = time.monotonic()
    results = [lab.send(task, 0.05) for _ in range(40)]
    assert [result.get(timeout=PATIENCE) for result in results] == [0.05] * 40
    # It takes a second; two for each pair of tasks, where the wait for messages goes on to its end.
    assert time.monotonic() - began < 10.0


#: Has an embedded worker run a hundred tasks, and prints how many clients of Redis were made meanwhile.
CLIENTS = """
import redis
from celery.contrib.testing.worker import start_worker
from tests.celery.tasks import add, app

results = [add.delay(number, 1) for number in range(100)]
made = 0
make = redis.Redis.__init__
def count(*args, **options):
    global made
    made += 1
    make(*args, **options)
redis.Redis.__init__ = count
with start_worker(app, pool="pools_celery:TaskPool", concurrency=2, perform_ping_check=False):
    assert [result.get(timeout=60) for result in results] == list(range(1, 101))
    print(made)
"""


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_not_each_task_makes_clients_of_redis(pool: str, redis_url: str) -> None:
    broker, backend = empty_databases(redis_url, 8)
    environment = {**os.environ, "TESTS_BROKER": broker, "TESTS_BACKEND": backend, "POOLS_POOL": pool}
    made = subprocess.check_output([sys.executable, "-W", "ignore", "-c", CLIENTS], env=environment, timeout=90)
    assert int(made.split()[-1]) < 50
