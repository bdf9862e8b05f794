"""The tests beside this file run in a process that is patched, which ``tests/gevent/test_patched.py`` starts.

By hand: ``.venv/bin/pools exec -P gevent -m pytest -o timeout=0 tests/gevent/patched``.
"""

from __future__ import annotations

from pathlib import Path

from pools_gevent.patch import is_applied


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return None if is_applied() else True
