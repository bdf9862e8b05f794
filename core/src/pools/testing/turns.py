"""Which test is next: the parent says so, one test at a time, so that several processes can share them."""

from __future__ import annotations

import os
from typing import cast

import pytest


class Turns:
    """Runs the tests that it is given: a pytest plugin.

    Args:
        descriptor: Where to read the next test, by pytest's id, a line each; its end is that of the run.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run one test after another, with nothing set up in between but the session."""
        if session.testsfailed:
            return None  # not all modules could be imported, and pytest says so
        items = {item.nodeid: item for item in session.items}
        stays = cast(pytest.Item, session)
        with os.fdopen(self._descriptor) as lines:
            for line in lines:
                item = items[line.removesuffix("\n")]
                session.config.hook.pytest_runtest_protocol(item=item, nextitem=stays)
        return True
