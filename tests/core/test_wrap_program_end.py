"""A program that ends without stopping its pool around an executor gets what it asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import operator
import pools
{imports}

def tell(value):
    print("done", value, flush=True)

if __name__ == "__main__":
    pool = pools.wrap({executor}, shutdown={shutdown})
    for number in range(6):
        pool.apply_async(operator.mul, (number, 7), callback=tell)
    {end}
"""

EXECUTORS = {
    "threads": ("from concurrent.futures import ThreadPoolExecutor", "ThreadPoolExecutor(1)"),
    "processes": ("from concurrent.futures import ProcessPoolExecutor", "ProcessPoolExecutor(1)"),
    "loky": ("from loky import get_reusable_executor", "get_reusable_executor(1)"),
}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("shutdown", [False, True])
@pytest.mark.parametrize(("end", "code"), [("pass", 0), ("raise SystemExit(3)", 3)])
def test_what_waits_for_a_slot_is_done(executor: str, shutdown: bool, end: str, code: int) -> None:
    """Executors take no more calls when the main thread has ended: the pool has them make its own before."""
    imports, made = EXECUTORS[executor]
    if executor == "loky":
        pytest.importorskip("loky")
    program = PROGRAM.format(imports=imports, executor=made, shutdown=shutdown, end=end)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n") == [f"done {7 * number}" for number in range(6)] + [""], done.stderr
    assert (done.returncode, done.stderr) == (code, "")
