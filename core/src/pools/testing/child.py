"""The process that runs the suite: patched as its pool declares, before anything else is imported.

Started by :mod:`pools.testing.process` as ``python -m pools.testing.child``, with one argument of JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

# It takes the functions of the system, which they are for as long as no patch was applied.
from pools.testing import native  # noqa: F401


def main(arguments: dict[str, Any]) -> int:
    """Run what the arguments ask for (see :class:`pools.testing.process.Task`); returns pytest's exit code."""
    from pools import registry

    if arguments["patched_as"] is not None:
        registry.patch(arguments["patched_as"])
    return _run_tests(arguments)


def _run_tests(arguments: dict[str, Any]) -> int:
    import faulthandler
    import os
    import signal
    from pathlib import Path

    import pytest

    from pools.testing import gates, history, leftovers
    from pools.testing.fixtures import Fixtures
    from pools.testing.pool_under_test import PoolUnderTest
    from pools.testing.reporter import Reporter
    from pools.testing.turns import Turns

    # The parent asks for the stacks of a test that hangs, and then kills.
    faulthandler.register(signal.SIGUSR2, all_threads=True)
    gates.use_folder(Path(arguments["folder"]))
    leftovers.private.append(Path(arguments["temporary"]))
    if arguments["impatient"]:
        history.lose_patience()
    subject = PoolUnderTest(arguments["pool"], arguments["options"], arguments["quick"])
    reporter = Reporter(arguments["descriptor"])
    suite = Path(__file__).with_name("suite")
    return pytest.main(
        [
            *(f"--rootdir={suite}", f"--confcutdir={suite}", "-c", os.devnull, "--noconftest"),
            *("--import-mode=importlib", "--strict-markers", "--capture=no", "--color=no", "--tb=native", "--quiet"),
            *("-p", "no:cacheprovider", "-o", "python_files=point_*.py", "-o", "consider_namespace_packages=true"),
            *(["-k", arguments["expression"]] if arguments["expression"] else []),
            *(str(path) for module in arguments["modules"] for path in sorted(suite.glob(f"{module}*.py"))),
        ],
        plugins=[Fixtures(subject, reporter.tell), Turns(arguments["tests"]), reporter],
    )


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
