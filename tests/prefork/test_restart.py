"""A rolling restart: all children are replaced, and there is no moment without one."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from pools import signals
from tests.contract.records import PATIENCE, Record, apply
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, pids, settled
from tests.prefork.programs import run
from tests.prefork.targets import echo, hold, note_and_return, noted, pid

#: What a host changes while it runs.
settings = {"version": 1}


def see_settings() -> int:
    """What this child has of it."""
    return settings["version"]


def test_children_are_replaced_by_copies_of_the_host_as_it_is_now(
    open_pool: OpenPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = open_pool(2)
    settled(lambda: [child["state"] for child in pool.info["children"]], ["idle", "idle"])
    before = set(pids(pool))
    assert apply(pool, see_settings).value() == 1
    monkeypatch.setitem(settings, "version", 2)
    assert apply(pool, see_settings).value() == 1
    pool.restart()
    assert not before & set(pids(pool))
    assert [alive(child) for child in before] == [False, False]
    assert {apply(pool, see_settings).value() for _ in range(20)} == {2}
    assert pool.stats["restarts"] == {"restart": 2}


NEW_CODE = """
    import sys
    from pathlib import Path
    import pools

    if __name__ == "__main__":
        module = Path(sys.argv[2])
        sys.path.insert(0, str(module.parent))
        module.write_text("def version(): return 1")
        import code_to_change
        with pools.open("prefork", 2, start_method=sys.argv[1]) as pool:
            print(pool.apply_async(code_to_change.version).result(20))
            module.write_text("def version(): return 'two'")
            pool.restart()
            print({pool.apply_async(code_to_change.version).result(20) for _ in range(10)})
"""


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_new_code_is_seen(tmp_path: Path, method: str) -> None:
    """By children of a fresh interpreter: the file has changed, and the host has not imported it again."""
    assert run(tmp_path, NEW_CODE, method, str(tmp_path / "code_to_change.py")) == "1\n{'two'}\n"


def test_there_is_no_moment_without_a_child(open_pool: OpenPool, tmp_path: Path) -> None:
    """Jobs go on: the longest time between the ends of two of them is no longer than a job or two; each runs once."""
    log = tmp_path / "log"
    pool = open_pool(2)
    settled(lambda: [child["state"] for child in pool.info["children"]], ["idle", "idle"])
    up = set(pids(pool))
    fewest = []

    def on_started(_: Any, child: int, pid: int) -> None:
        up.add(pid)

    def on_exited(_: Any, child: int, pid: int, reason: str) -> None:
        up.discard(pid)
        fewest.append(len(up))

    signals.child_started.connect(on_started, sender=pool)
    signals.child_exited.connect(on_exited, sender=pool)
    records: list[Record] = []
    over = Event()

    def submit() -> None:
        while not over.is_set():
            records.append(apply(pool, note_and_return, str(log), len(records)))
            records[-1].ended()

    thread = Thread(target=submit)
    thread.start()
    for _ in range(5):
        pool.restart()
    over.set()
    thread.join(PATIENCE)
    assert [record.value() for record in records] == list(range(len(records)))
    assert noted(log) == [str(number) for number in range(len(records))]
    assert len(fewest) == 10
    assert min(fewest) >= 2
    assert pool.stats["restarts"] == {"restart": 10}


def test_a_job_that_runs_goes_on_to_its_end(open_pool: OpenPool, tmp_path: Path) -> None:
    """In its old child, which goes when it is done; a restart waits for that. What comes meanwhile runs."""
    begun, release = tmp_path / "begun", tmp_path / "release"
    pool = open_pool(2)
    record = apply(pool, hold, str(release), str(begun))
    record.accepted()
    (old,) = [child["pid"] for child in pool.info["children"] if child["job"]]
    restarted = Event()

    def restart() -> None:
        pool.restart()
        restarted.set()

    thread = Thread(target=restart)
    thread.start()
    settled(lambda: sorted(child["state"] for child in pool.info["children"]), ["busy", "idle", "idle"])
    assert apply(pool, pid).value() != old
    assert not restarted.is_set()
    assert record.kinds == ["accepted"]
    release.touch()
    assert record.value() == old
    assert restarted.wait(PATIENCE)
    thread.join(PATIENCE)
    assert old not in pids(pool)


def test_children_that_die_during_a_restart(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """They are replaced, and the restart ends."""
    pool = open_pool(2)
    settled(lambda: [child["state"] for child in pool.info["children"]], ["idle", "idle"])
    for _ in range(5):
        thread = Thread(target=pool.restart)
        thread.start()
        for child in pool.info["children"]:
            if child["pid"]:
                try:
                    os.kill(child["pid"], 9)
                except ProcessLookupError:
                    pass
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert apply(pool, echo, 1).value() == 1
    settled(lambda: len(pool.info["children"]), 2)
    caplog.clear()
