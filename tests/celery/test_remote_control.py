"""What a worker hears while a task holds it up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
