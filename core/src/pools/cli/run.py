"""``pools run``: a batch from the command line."""

from __future__ import annotations

import sys
import time
from typing import Any, Literal

import click

from pools import registry
from pools.batch.call import json_arguments, text_arguments
from pools.batch.lines import Lines
from pools.batch.output import Output, OutputError, new_output, resumed_output, standard_output
from pools.batch.progress import Progress, choose
from pools.batch.resume import Recorded, skip_recorded
from pools.batch.runner import AHEAD, Batch, Plan
from pools.batch.tally import Tally
from pools.batch.target import resolve
from pools.cli.pool_command import PoolCommand

_SECONDS = click.FloatRange(min=0, min_open=True)
_TIMES = click.IntRange(min=0)


def _concurrency(value: str) -> int | Literal["auto"]:
    if value == "auto":
        return "auto"
    if not value.isdecimal() or int(value) < 1:
        raise click.BadParameter(f'{value!r} is not a positive number or "auto".')
    return int(value)


@click.command("run", cls=PoolCommand)
@click.argument("function", metavar="MODULE:FUNCTION")
@click.option("-P", "--pool", metavar="NAME", help="The pool that makes the calls.")
@click.option("-c", "--concurrency", type=_concurrency, metavar="N", help="How many calls at once, or auto.")
@click.option("--input", "source", default="-", metavar="FILE", help="Where the lines are; - is standard input.")
@click.option(
    "--json", "as_json", is_flag=True, help="A line is a JSON value, list of arguments or object of keywords."
)
@click.option("--output", "sink", metavar="FILE", help="Where the records go, instead of standard output.")
@click.option(
    "--soft-timeout", type=_SECONDS, metavar="S", help="Raise SoftTimeLimitExceeded in a call after S seconds."
)
@click.option("--timeout", type=_SECONDS, metavar="S", help="End a call after S seconds.")
@click.option(
    "--retries", type=_TIMES, default=0, metavar="N", help="Make a call that did not succeed up to N times again."
)
@click.option("--resume", is_flag=True, help="Go on with the output of a run that was stopped or killed.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def run(
    function: str,
    pool: str | None,
    concurrency: int | Literal["auto"] | None,
    source: str,
    as_json: bool,
    sink: str | None,
    soft_timeout: float | None,
    timeout: float | None,
    retries: int,
    resume: bool,
    quiet: bool,
) -> int:
    """Call MODULE:FUNCTION once for each line of the input, and write one record of JSON for each.

    The function gets the line as a string. Lines of nothing but white space are passed over. A record has the line's
    number and input, the outcome, the result (or error and traceback), when the call started, the seconds it took and
    the attempt; a result that JSON cannot express is given as its repr, with "result_is_repr".

    Ctrl-C takes no more input and finishes what runs; a second one terminates it. Exit code 0: every call succeeded;
    1: some did not, or were not made; 2: bad usage.
    """
    if resume and sink is None:
        raise click.UsageError("--resume needs the --output of the run to go on with.")
    target = resolve(function)
    limits: dict[str, Any] = {
        name: value for name, value in (("soft_timeout", soft_timeout), ("timeout", timeout)) if value
    }
    try:
        output, recorded = _open_output(sink, resume)
        with output, Lines(source) as lines:
            rest = skip_recorded(lines, recorded, output.name)
            plan = Plan(target, json_arguments if as_json else text_arguments, lines, rest.lines, output, retries)
            with registry.open(
                pool, concurrency, max_queued=AHEAD, when_full="block", putlocks=False, **limits
            ) as opened:
                tally = Tally(time.monotonic(), lines.size, recorded.count, recorded.failed, rest.skipped)
                progress = choose(lines.size, quiet=quiet, shares_terminal=output.is_terminal)
                return _run(Batch(plan, opened, tally, progress), tally, progress, resumable=sink is not None)
    except OutputError as error:
        print(f"pools: {error}", file=sys.stderr)
        return 1


def _open_output(path: str | None, resume: bool) -> tuple[Output, Recorded]:
    if path is None:
        return standard_output(), Recorded()
    return resumed_output(path) if resume else (new_output(path), Recorded())


def _run(batch: Batch, tally: Tally, progress: Progress, *, resumable: bool) -> int:
    """Run ``batch``, say what became of it, and return the exit code."""
    try:
        batch.run()
    finally:
        progress.end(tally, time.monotonic())
    if batch.terminated_by is not None:
        code = 128 + batch.terminated_by
    else:
        code = 0 if batch.complete and tally.all_succeeded else 1
    if not batch.complete:
        progress.say("not all of the input is done" + (": --resume goes on with it" if resumable else ""))
    return code
