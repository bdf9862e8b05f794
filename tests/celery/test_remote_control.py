"""What a worker hears while a task holds it up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.celery.brokers import empty_databases
from tests.celery.lab import PATIENCE, Gate, Lab, wait_for


@pytest.fixture(params=["gevent", "eventlet", "solo"])
def lab(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> Iterator[Lab]:
    broker, backend = empty_databases(redis_url, 12)
    lab = Lab(tmp_path, broker, backend, request.param, "-c", "1")
    yield lab.wait_until_up()
    lab.close()


def test_what_is_asked_about_tasks_and_what_is_wrong(lab: Lab) -> None:
    """The one is answered at once, the other when the task has ended; and neither is answered twice."""
    gate = Gate(lab.folder)
    held = lab.send("hold", str(gate.path), True)
    assert gate.has_begun(1)
    assert [task["id"] for task in lab.active()] == [held.id]
    assert held.id in lab.command("query_task", ids=[held.id])
    # Without the ids that it wants, and one that nobody knows.
    for name in ("revoke", "nonsense"):
        lab.client.control.broadcast(name, destination=[lab.name])
    assert lab.ping(PATIENCE)
    answers = lab.client.control.ping([lab.name], timeout=lab.soon / 5)
    assert answers == [{lab.name: {"ok": "pong"}}]
    gate.open()
    assert held.get(timeout=PATIENCE) == "let go"
    assert wait_for(lambda: "KeyError('nonsense')" in lab.log.read_text())
    assert "missing 1 required positional argument: 'task_id'" in lab.log.read_text()
    assert lab.active() == []


def test_a_prefetched_task_that_is_revoked_meanwhile(lab: Lab) -> None:
    """It is not begun, and whoever asked is answered."""
    gate, sign = Gate(lab.folder), lab.folder / "sign"
    held = lab.send("hold", str(gate.path), True)
    assert gate.has_begun(1)
    result = lab.send("mark", str(sign))
    lab.client.control.revoke(result.id, destination=[lab.name])
    assert wait_for(lambda: result.id in (lab.command("revoked") or []))
    gate.open()
    assert held.get(timeout=PATIENCE) == "let go"
    assert wait_for(lambda: result.status == "REVOKED")
    assert not sign.exists()


@pytest.mark.xdist_group("rabbitmq")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("broker", ["redis_url", "rabbitmq_url"])
def test_the_listening_thread_shares_no_green_lock(broker: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """One of eventlet's is for one thread. From start to end, with a task that computes, and a new connection."""
    redis, backend = empty_databases(request.getfixturevalue("redis_url"), 14)
    url = redis if broker == "redis_url" else request.getfixturevalue(broker)
    lab = Lab(tmp_path, url, backend, "eventlet", "-c", "2", application="tests.celery.watched_locks")
    try:
        lab.wait_until_up()
        assert lab.send("add", 1, 2).get(timeout=PATIENCE) == 3
        gate = Gate(lab.folder)
        held = lab.send("hold", str(gate.path), True)
        assert gate.has_begun(1)
        assert [task["id"] for task in lab.active()] == [held.id]
        lab.client.control.revoke("another", destination=[lab.name])
        assert wait_for(lambda: "another" in (lab.command("revoked") or []))
        lab.client.control.revoke(held.id, terminate=True, destination=[lab.name])
        assert wait_for(lambda: held.status == "REVOKED")
        if url == redis:
            with Redis.from_url(url) as client:
                for kind in ("normal", "pubsub"):
                    client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
            assert wait_for(lambda: lab.log.read_text().count("pidbox: Connected") == 2)
            assert wait_for(lambda: lab.ping(1.0))
        assert lab.stats()
        assert lab.signal(signal.SIGTERM) is not None
        assert lab.noted("shared") == []
    finally:
        lab.close()
