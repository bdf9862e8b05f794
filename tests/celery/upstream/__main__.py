"""Run Celery's own integration tests against a worker on each pool: ``python -m tests.celery.upstream CHECKOUT``.

CHECKOUT is the source of a Celery release (its source distribution, unpacked, or a checkout of its repository); nothing
of it is copied. The tests run with this interpreter, which needs what Celery's own test requirements say; the worker is
a process of its own, ``pools worker`` or, with ``--celery``, Celery's. Redis is the broker and the result backend.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

from tests.celery import brokers

ROOT = Path(__file__).parents[3]
POOLS = ("prefork", "threads", "gevent", "eventlet", "solo")

#: Tests that look into the worker's own process, which here is not theirs.
IN_PROCESS = (
    # Handlers of the worker's signals, connected in the test.
    "test_task_received_has_access_to_stamps",
    "test_linking_stamped_sig",
    "test_err_linking_stamped_sig",
    "test_replaced_task_nesting_level_0",
    "test_replaced_task_nesting_level_1",
    "test_replaced_task_nesting_chain",
    "test_each_instance_receives",
    "test_disconnect_leaves_other_instance_connected",
    "test_other_instance_receives_after_garbage_collection",
    # `celery.worker.state`, read or cleared.
    "test_hello_stamps_received_revoked_ids_locally",
    "test_revoked_by_headers_simple_canvas",
    "test_send_task_without_ignore_result_uses_task_ignore_result",
    "test_send_task_without_ignore_result_stores_result",
    "test_retry_preserves_ignore_result_false",
    "test_retry_preserves_ignore_result_true",
    # The pid of the worker.
    "test_stats",
    # It has the application of this process sign messages, and leaves it so.
    "test_security_task_done",
)


def main() -> int:
    """Run the tests and print a table of the counts; returns 1 if any test failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.celery.upstream", description="Celery's integration tests.")
    parser.add_argument("checkout", type=Path, help="the source of a Celery release")
    parser.add_argument("-P", "--pool", action="append", help="a pool to run them on; default: ours, all of them")
    parser.add_argument("--celery", action="store_true", help="Celery's own pools of these names")
    parser.add_argument("-k", help="which tests, as for pytest")
    arguments = parser.parse_args()
    rows = []
    for pool in arguments.pool or POOLS:
        counts, failed = _run(arguments.checkout.resolve(), pool, arguments.celery, arguments.k)
        rows.append(f"| {pool} | {counts['passed']} | {counts['failed']} | {counts['skipped']} | {', '.join(failed)} |")
        print(rows[-1], flush=True)
    print("\n| pool | passed | failed | skipped | which failed |\n| --- | --- | --- | --- | --- |", *rows, sep="\n")
    return int(any("| 0 |" not in row for row in rows))


def _run(checkout: Path, pool: str, celerys: bool, which: str | None) -> tuple[dict[str, int], list[str]]:
    with brokers.redis() as url, tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "t/integration", "-p", "tests.celery.upstream.plugin", "-q"]
        command += ["-p", "no:cacheprovider", f"--junitxml={report}", "-k", which or f"not ({' or '.join(IN_PROCESS)})"]
        address, _, port = url.removeprefix("redis://").partition(":")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(checkout))),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "TEST_BROKER": f"{url}/0",
            # Tests look into the backend by a connection of their own, to the first database.
            "TEST_BACKEND": f"{url}/0",
            "REDIS_HOST": address,
            "REDIS_PORT": port,
            "UPSTREAM_POOL": pool,
            "UPSTREAM_CELERYS": "yes" if celerys else "",
        }
        subprocess.run(command, cwd=checkout, env=environment, check=False)
        return _counts(report)


def _counts(report: Path) -> tuple[dict[str, int], list[str]]:
    # Of a test that is run again, only its last run counts: Celery has its flaky ones run up to five times more.
    runs = {
        (case.get("classname"), case.get("name", "")): case
        for case in xml.etree.ElementTree.parse(report).iter("testcase")
    }
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failed = []
    for (_, name), case in runs.items():
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
            failed.append(name)
        else:
            counts["skipped" if case.find("skipped") is not None else "passed"] += 1
    return counts, failed


if __name__ == "__main__":
    sys.exit(main())
