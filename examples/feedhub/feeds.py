"""A feed reader, as one writes it: blocking code on urllib3 and lxml, which knows nothing of pools.

Each call makes one connection and closes it. The feeds of a real reader live on as many hosts as there are feeds, so
there is none to keep alive; and calls that share nothing need no lock, whether they run in threads or in greenlets.
"""

from __future__ import annotations

from typing import Any

import urllib3
from lxml import etree

_ATOM = "{http://www.w3.org/2005/Atom}"


class StatusError(Exception):
    """The server answered with a status other than 200."""


class NotAFeedError(Exception):
    """The document is neither RSS nor Atom, or not even well-formed XML."""


def fetch(url: str) -> dict[str, Any]:
    """Fetch and parse the feed at ``url``.

    Returns:
        Its ``title``, its ``format`` ("rss" or "atom"), the number of its ``entries`` and its size in ``bytes``.

    Raises:
        StatusError: The server refused it.
        NotAFeedError: It is something else, or not well-formed.
        urllib3.exceptions.HTTPError: The server could not be reached, or went away.
    """
    with urllib3.PoolManager(retries=False) as http:
        response = http.request("GET", url, headers={"Accept": "application/rss+xml, application/atom+xml"})
    if response.status != 200:
        raise StatusError(f"{response.status} {response.reason}")
    return parse(response.data)


def parse(document: bytes) -> dict[str, Any]:
    """Parse a feed; see :func:`fetch`."""
    # A document from the network gets to resolve no entities.
    try:
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise NotAFeedError(f"not well-formed: {error}") from error
    if root.tag == "rss":
        kind, title, entries = "rss", root.findtext("channel/title"), root.findall("channel/item")
    elif root.tag == f"{_ATOM}feed":
        kind, title, entries = "atom", root.findtext(f"{_ATOM}title"), root.findall(f"{_ATOM}entry")
    else:
        raise NotAFeedError(f"the root element is {root.tag}")
    return {"title": title, "format": kind, "entries": len(entries), "bytes": len(document)}
