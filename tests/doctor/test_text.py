"""What a reader is told: the place, the import, what to do, and how many findings there are."""

from __future__ import annotations

from pathlib import Path

from tests.doctor.doctor import PATCH, run_doctor, write


def test_what_is_printed(tmp_path: Path) -> None:
    """Only what the patch came too late for was imported too early; what is used and held is told of once."""
    write(
        tmp_path,
        {
            "main.py": f"import shop\n{PATCH['gevent']}\nimport work\n",
            "shop/__init__.py": "import shop.net\n",
            "shop/net.py": "from time import sleep\n",
            "work.py": "import multiprocessing\nqueue = multiprocessing.Queue()\n",
        },
    )
    done = run_doctor(tmp_path, "gevent", "main.py")
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("   do: ")]
    assert lines == [
        "1. shop.net.sleep  module global",
        "   holds the original time.sleep, shop/net.py:1",
        "   imported too early by main.py:1 (shop)",
        "   which imports shop.net (shop/__init__.py:1)",
        "",
        "2. work.queue  multiprocessing",
        "   uses multiprocessing.queues.Queue, work.py:2",
        "   imported by main.py:3 (work)",
        "",
        "pools doctor, pool gevent: 2 findings, patched at main.py:2",
    ]
