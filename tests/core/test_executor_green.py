"""The tests of the executor on the green pools, each in a process that is patched from its first line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.executors import VARIABLE
from tests.patched import check_patched

MODULES = sorted(str(path) for path in Path(__file__).parent.glob("test_executor*.py") if path != Path(__file__))


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_the_executor_on_a_green_pool(pool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, pool)
    check_patched(
        pool,
        *("-m", "pytest", *MODULES, "--color=no", "--tb=short", "-p", "no:cacheprovider"),
        # pytest-timeout's own thread would be a greenlet here, which a job that holds the hub never lets run.
        *("-o", "timeout=0", "-o", "faulthandler_timeout=30"),
    )


LEFT_AS_IT_IS = """
import time
from pools import PoolExecutor

with PoolExecutor(2, "gevent") as executor:
    slow = executor.submit(time.sleep, 0.1)
    try:
        slow.result(timeout=0.01)
    except TimeoutError:
        print("not yet")
    print(slow.exception(), list(executor.map(pow, [2, 3], [2, 2], timeout=5)))
executor = PoolExecutor(1, "gevent")
running, waiting = executor.submit(time.sleep, 0.1), executor.submit(print, "never")
executor.shutdown(wait=False, cancel_futures=True)
executor.shutdown()
print(running.done(), waiting.cancelled(), executor.pool.state.value)
"""


def test_futures_may_be_waited_for_where_threads_are_unpatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting on a lock of the threading module would stop the hub here, and the program for good."""
    monkeypatch.setenv("GEVENT_PATCHTHREAD", "N")
    assert check_patched("gevent", "-c", LEFT_AS_IT_IS).splitlines() == [
        "not yet",
        "None [4, 9]",
        "True True stopped",
    ]
