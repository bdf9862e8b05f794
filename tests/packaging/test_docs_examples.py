"""The Python that the documentation shows runs as it stands there."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.core.fake_plugins import Site
from tests.packaging.pages import PAGES, ROOT, blocks

EXAMPLES = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}: {number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, {"python"}), 1)
]


@pytest.mark.parametrize("block", EXAMPLES)
def test_an_example_runs(block: str) -> None:
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_the_documentation_shows_python() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("name", ["lent", "shop.pool:Pool"])
def test_the_pool_that_authors_are_shown_runs_jobs(tmp_path: Path, name: str) -> None:
    page = ROOT / "docs" / "authors.md"
    pool, declaration = itertools.islice(blocks(page, {"python"}), 2)
    (table,) = blocks(page, {"toml"})
    (tmp_path / "shop").mkdir()
    site = Site(tmp_path)
    site.module("shop/pool", pool)
    site.module("shop/plugin", declaration)
    site.distribution("shop", tomllib.loads(table)["project"]["entry-points"])
    program = (
        "import pools\n"
        f"with pools.open({name!r}, concurrency=3) as pool:\n"
        "    print(pool.name, sum(pool.map(abs, range(-50, 0))))\n"
    )
    done = site.run("-c", program)
    assert (done.stdout, done.stderr) == ("lent 1275\n", "")
