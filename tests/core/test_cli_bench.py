"""``pools bench`` measures a pool; how fast it is, no test asserts."""

from __future__ import annotations

import json

from tests.core.fake_plugins import Site


def test_a_pool_is_measured(site: Site) -> None:
    site.pool("alpha")
    done = site.command("bench", "-P", "alpha", "-c", "3", "--jobs", "50", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert (report["pool"], report["concurrency"], report["jobs"]) == ("alpha", 3, 50)
    assert 0 < report["lone_job_seconds"]["median"] <= report["lone_job_seconds"]["p95"] < 60
    assert 0 < report["first_result_seconds"] < 60
    assert report["jobs_per_second"] > 1


def test_a_table_says_what_was_measured(site: Site) -> None:
    site.pool("alpha")
    done = site.command("bench", "--pool=alpha", "--jobs", "50", "-c1")
    assert (done.returncode, done.stderr) == (0, "")
    head, first, flood, median, p95 = done.stdout.splitlines()
    assert head == "POOL alpha, 1 AT ONCE"
    assert first.startswith("from opening it to the first result")
    assert flood.startswith("a flood of 50 jobs, best of 3")
    assert flood.endswith(" jobs/s")
    assert median.startswith("a lone job, median of 200")
    assert p95.endswith(" µs")


def test_what_cannot_be_measured_is_refused(site: Site) -> None:
    site.patched_pool("alpha")
    done = site.command("bench", "-P", "alpha", "--jobs", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pools bench: Invalid value for '--jobs'")
