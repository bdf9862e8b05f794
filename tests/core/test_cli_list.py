"""``pools list`` shows what is installed and what is wrong with any of it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

from tests.core.fake_plugins import Site

BROKEN = "raise RuntimeError('out of\\norder')"


def test_pools_with_distribution_and_traits_and_problems(site: Site) -> None:
    site.pool("alpha", "aliases=('first',)", aliases=["first"])
    site.module("broken_plugin", BROKEN)
    site.distribution("pools-broken", {"pools.plugins": {"broken": "broken_plugin"}}, version="2.5")
    site.extension("extra", "import no_such_module")
    done = site.command("list")
    assert (done.returncode, done.stderr) == (0, "")
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert shown[0] == "POOL DISTRIBUTION TRAITS"
    assert "alpha (first) pools-alpha 1.0 resize" in shown
    assert "broken pools-broken 2.5 unusable" in shown
    assert "extra pools-extra 1.0" in shown
    assert "broken pools-broken 2.5 it does not import: RuntimeError: out of order" in shown
    assert "extra pools-extra 1.0 it does not import: ModuleNotFoundError: No module named 'no_such_module'" in shown


def test_json(site: Site) -> None:
    site.pool("alpha", "aliases=('first',), summary='The first.'", aliases=["first"])
    site.module("broken_plugin", BROKEN)
    site.distribution("pools-broken", {"pools.plugins": {"broken": "broken_plugin"}})
    site.extension("extra", "")
    done = site.command("list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    pools = {pool["name"]: pool for pool in report["pools"]}
    assert pools["alpha"]["traits"]["resize"] is True
    assert pools["alpha"] == {
        "name": "alpha",
        "distribution": "pools-alpha",
        "version": "1.0",
        "module": "alpha_plugin",
        "summary": "The first.",
        "aliases": ["first"],
        "traits": pools["alpha"]["traits"],
    }
    assert pools["broken"]["traits"] is None
    assert {"name": "extra", "distribution": "pools-extra", "version": "1.0"} in report["extensions"]
    assert [problem for problem in report["problems"] if problem["name"] == "broken"] == [
        {"name": "broken", "origin": "pools-broken 1.0", "reason": "it does not import: RuntimeError: out of order"}
    ]


def test_what_is_not_installed_any_more_is_gone(site: Site) -> None:
    site.pool("alpha")
    assert "alpha" in site.command("list").stdout
    for file in sorted(site.path.glob("pools_alpha-1.0.dist-info/*")):
        file.unlink()
    assert "alpha" not in site.command("list").stdout


def test_on_a_terminal_the_table_is_drawn(site: Site) -> None:
    site.pool("alpha")
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "pools", "list"],
            env={**site.environment, "TERM": "xterm", "COLUMNS": "100"},
            cwd=site.path,
            stdout=theirs,
            check=True,
        )
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "alpha" in shown
    assert "─" in shown
