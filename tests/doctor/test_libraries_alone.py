"""Each well-known library by itself: what others import with it does not hide what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.doctor import POOLS, examine, write
from tests.doctor.test_libraries import BLOCKING, LIBRARIES
from tests.needs import needs


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("pool", POOLS)
def test_alone_only_what_blocks_in_c_is_found(tmp_path: Path, pool: str, library: str) -> None:
    needs(library)
    write(tmp_path, {"alone.py": LIBRARIES[library]})
    stale = examine(tmp_path, pool, "-A", "alone")["stale"]
    assert {item["module"] for item in stale} == {library} & BLOCKING[pool], stale
    assert {item["kind"] for item in stale} <= {"C extension"}
