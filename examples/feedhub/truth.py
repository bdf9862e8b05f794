"""Whether what ``pools run`` recorded is what the server was made to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from examples.feedhub.catalogue import Feed, Kind

#: How the job that fetches a feed has to end, as :func:`ending` words it; of all other kinds it succeeds.
_ENDINGS = {
    Kind.MISSING: "feeds.StatusError: 404 Not Found",
    Kind.FAILING: "feeds.StatusError: 500 Internal Server Error",
    Kind.BROKEN: "feeds.NotAFeedError",
    Kind.RESET: "urllib3.exceptions.ProtocolError",
    Kind.HANGING: "timed out",
}

Record = Mapping[str, Any]


def ending(record: Record) -> str:
    """Return how a job ended in a few words: its outcome, or for a failed one the kind of failure."""
    if record["outcome"] != "failed":
        return str(record["outcome"])
    kind, message = record["error"]["type"], record["error"]["message"]
    # The messages of the libraries speak of lines and addresses; those of the reader itself are the kind.
    return f"{kind}: {message}" if kind == "feeds.StatusError" else str(kind)


def endings(records: Sequence[Record]) -> Counter[str]:
    """Count the ways in which jobs ended."""
    return Counter(ending(record) for record in records)


def lies(feeds: Sequence[Feed], records: Sequence[Record]) -> list[str]:
    """Compare the records of a run with the feeds that it was given, in that order.

    Returns:
        One line for each feed that was not recorded once and rightly; none when all is true.
    """
    recorded: dict[int, list[Record]] = {}
    for record in records:
        recorded.setdefault(record["line"] - 1, []).append(record)
    found = [f"line {number + 1} was never given" for number in sorted(recorded.keys() - range(len(feeds)))]
    for index, feed in enumerate(feeds):
        mine = recorded.get(index, [])
        if len(mine) != 1:
            found.append(f"feed {feed.number} ({feed.kind.value}) has {len(mine)} records")
        elif problem := _problem(feed, mine[0]):
            found.append(f"feed {feed.number} ({feed.kind.value}) {problem}")
    return found


def _problem(feed: Feed, record: Record) -> str | None:
    expected = _ENDINGS.get(feed.kind, "succeeded")
    if (actual := ending(record)) != expected:
        return f"ended as {actual!r}, not {expected!r}"
    if expected == "succeeded":
        truth = {"title": feed.title, "format": feed.format, "entries": feed.entries}
        read = {name: record["result"].get(name) for name in truth}
        if read != truth:
            return f"was read as {read}, not {truth}"
    return None
