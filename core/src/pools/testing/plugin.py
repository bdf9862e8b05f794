"""The pytest plugin of whoever has the kit: an option, and the report point by point at the end of a run.

pytest imports it in every run where the core is installed, so it imports nothing else.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("pools").addoption(
        "--pools-quick", action="store_true", dest="pools_quick", help="Have the conformance kit repeat less."
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what PoolConformance has found about each pool."""
    found: dict[str, list[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                for name, value in report.user_properties:
                    if name == "pools":
                        pool, _, line = str(value).partition(": ")
                        found.setdefault(pool, []).append(line)
    for pool, lines in found.items():
        terminalreporter.section(f"pool {pool} and the contract")
        for line in sorted(lines):
            terminalreporter.write_line(line)
