"""Points 12 to 15: context, info and stats, nothing ignored, sizes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import pools
from pools.errors import UnsupportedError
from tests.contract.records import apply
from tests.prefork import unruly
from tests.prefork.conftest import OpenPool
from tests.prefork.looks import alive, settled
from tests.prefork.targets import echo, hold


def test_contexts_are_refused() -> None:
    """Context variables do not reach another process."""
    assert not pools.spec("prefork").traits.context
    with pytest.raises(UnsupportedError, match=r"^pool prefork .*\(trait context is False\)$"):
        pools.open("prefork", 1, context="copy")


def test_info_is_true(open_pool: OpenPool, tmp_path: Path) -> None:
    """What it says runs is what runs, also of a job that nobody has asked to hear of; and it is JSON."""
    pool = open_pool(2, timeout=60.0)
    job = pool.apply_async(hold, (str(tmp_path / "go"), str(tmp_path / "begun")), correlation_id="mine")
    waiting = [pool.apply_async(hold, (str(tmp_path / "go"),)) for _ in range(3)]
    settled((tmp_path / "begun").exists, True)
    settled(lambda: len(pool.info["running"]), 2)
    info = json.loads(json.dumps(pool.info))
    assert info["start_method"] == "fork"
    assert info["limits"] == {"soft_timeout": None, "timeout": 60.0}
    assert info["waiting"] == 2
    (entry,) = [entry for entry in info["running"] if entry["job"] == job.id]
    assert entry["correlation_id"] == "mine"
    (child,) = [child for child in info["children"] if child["child"] == entry["slot_id"]]
    assert child["job"] == job.id
    assert child["state"] == "busy"
    assert alive(child["pid"])
    assert child["memory"] > 1000
    assert 0 < child["job_seconds"] < child["age"] < 60
    (tmp_path / "go").touch()
    assert job.result(20.0) == child["pid"]
    for other in waiting:
        other.result(20.0)
    info = pool.info
    assert info["running"] == []
    assert {child["state"] for child in info["children"]} == {"idle"}
    assert sum(child["jobs_done"] for child in info["children"]) == 4


def test_stats_are_true(open_pool: OpenPool, caplog: pytest.LogCaptureFixture) -> None:
    """How jobs ended, why children were replaced, and bytes; and they are JSON."""
    pool = open_pool(1)
    for target, args in ((echo, (1,)), (divmod, (1, 0)), (unruly.exit_at_once, (1,)), (echo, (2,))):
        apply(pool, target, *args).ended()
    settled(lambda: pool.stats["restarts"], {"died": 1})
    stats = json.loads(json.dumps(pool.stats))
    assert {name: count for name, count in stats["jobs"].items() if count} == {"succeeded": 2, "failed": 1, "lost": 1}
    assert stats["bytes_in"] > 0
    assert stats["bytes_out"] > 0
    pool.stop()
    assert pool.stats["bytes_in"] >= stats["bytes_in"]
    assert pool.info["children"] == []
    caplog.clear()


#: Options without meaning, and what the error says of them.
MEANINGLESS: list[tuple[dict[str, Any], str]] = [
    *(({name: value}, f"{name} must be a positive number, not {value!r}")
      for name in ("max_tasks_per_child", "max_memory_per_child", "hard_memory_per_child")
      for value in (0, -1, 1.5, "3", True)),
    *(({name: value}, f"{name} must be a positive number of seconds, not {value!r}")
      for name in ("max_age_per_child", "proc_alive_timeout", "stall_timeout")
      for value in (0, -1, "3", True, float("nan"))),
    ({"start_method": "thread"}, 'start_method must be "fork", "forkserver" or "spawn", not \'thread\''),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), MEANINGLESS)
def test_an_option_without_meaning(options: dict[str, Any], message: str) -> None:
    """The error names the option and the value."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        pools.open("prefork", 1, **options)


def test_an_unknown_option() -> None:
    """No option vanishes."""
    with pytest.raises(UnsupportedError, match=r"^pool prefork has no option 'max_task_per_child'$"):
        pools.open("prefork", 1, max_task_per_child=3)


def test_auto(open_pool: OpenPool) -> None:
    """As many children as there are processors for this process."""
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        pool = open_pool("auto")
        assert pool.concurrency == 1
        settled(lambda: len(pool.info["children"]), 1)
    finally:
        os.sched_setaffinity(0, before)
