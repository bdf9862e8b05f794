"""What the process that runs the suite tells the one that waits for it: a pytest plugin.

Each message is a line of JSON, written as it happens, so that what is known is known however the process ends.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from pools.testing import history


class Reporter:
    """Tells of each test.

    Args:
        descriptor: Where to write.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, event: str, **values: Any) -> None:
        """Write one message."""
        data = json.dumps({"event": event, **values}).encode() + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.tell("unusable", text=report.longreprtext)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.tell("collected", tests=[item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.tell("begins", test=nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if report.failed:
            self.tell(
                "failed",
                test=item.nodeid,
                message=_message(call),
                where=_where(report),
                history=history.lines(),
            )
        return report

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.tell("ended", test=nodeid)

    def pytest_sessionfinish(self) -> None:
        self.tell("done")


def _message(call: pytest.CallInfo[None]) -> str:
    """What was wrong, without where."""
    assert call.excinfo is not None
    return str(call.excinfo.exconly()).removeprefix("AssertionError: ")


def _where(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return f"{crash.path}:{crash.lineno}" if crash is not None else ""
