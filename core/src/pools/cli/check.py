"""``pools check``: a pool held to the contract."""

from __future__ import annotations

import json
from typing import Any

import click

from pools.testing.check import check as check_pool

#: How many processes share the tests: most of them wait for something most of the time.
PROCESSES = 4


def _options(pairs: tuple[str, ...]) -> dict[str, Any]:
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{pair!r} is not of the form NAME=VALUE.", param_hint="-o")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


@click.command("check")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option("-k", "expression", default="", metavar="EXPR", help="Run the tests that EXPR selects, as pytest does.")
@click.option("-o", "--option", "pairs", multiple=True, metavar="NAME=VALUE", help="Open the pool with this option.")
@click.option("--quick", is_flag=True, help="Repeat less, for an answer in seconds.")
def check(name: str, as_json: bool, expression: str, pairs: tuple[str, ...], quick: bool) -> int:
    """Hold the pool NAME to the contract, and report point by point: holds, fails, or not promised.

    NAME is that of a pool or an alias, or module:Class. The tests run in processes of their own, patched as the pool
    declares. It needs pools-core[testing].

    Exit code 0: no point fails; 1: one does; 2: bad usage.
    """
    report = check_pool(name, _options(pairs), expression=expression, quick=quick, processes=PROCESSES)
    print(json.dumps(report.as_dict(), indent=2) if as_json else report.as_text())
    return 0 if report.holds else 1
