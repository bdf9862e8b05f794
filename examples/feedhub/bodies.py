"""The text of a feed: valid RSS 2.0 or Atom, the same at every call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

from examples.feedhub.catalogue import Feed, Kind

_NEWEST = datetime(2026, 1, 1, 12, tzinfo=UTC)
_SITE = "https://feeds.example"
_TEXT = (
    "What a reader sees below the headline: two or three sentences, now and then with <b>markup</b> that is escaped, "
    "“quotation marks”, an ampersand & a name like Ørsted. It is as long as summaries tend to be."
)

_RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0">
<channel>
<title>{title}</title>
<link>{link}</link>
<description>Feed {number} of the demonstration</description>
<lastBuildDate>{updated}</lastBuildDate>
{entries}
</channel>
</rss>
"""
_RSS_ITEM = """<item>
<title>{title}</title>
<link>{link}</link>
<guid isPermaLink="true">{link}</guid>
<pubDate>{updated}</pubDate>
<description>{text}</description>
</item>"""

_ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>{link}</id>
<title>{title}</title>
<link href="{link}"/>
<updated>{updated}</updated>
<author><name>Feed {number}</name></author>
{entries}
</feed>
"""
_ATOM_ENTRY = """<entry>
<id>{link}</id>
<title>{title}</title>
<link href="{link}"/>
<updated>{updated}</updated>
<summary>{text}</summary>
</entry>"""


def body(feed: Feed) -> bytes:
    """Return the document that the server sends for ``feed``; a broken one stops in the middle."""
    atom = feed.format == "atom"
    date = datetime.isoformat if atom else format_datetime
    entry = _ATOM_ENTRY if atom else _RSS_ITEM
    text = escape(_TEXT)
    entries = (
        entry.format(
            title=f"Entry {index} of feed {feed.number}",
            link=f"{_SITE}/{feed.number}/{index}",
            updated=date(_NEWEST - timedelta(hours=index)),
            text=text,
        )
        for index in range(feed.entries)
    )
    document = (
        (_ATOM if atom else _RSS)
        .format(
            title=escape(feed.title),
            link=f"{_SITE}/{feed.number}",
            number=feed.number,
            updated=date(_NEWEST),
            entries="\n".join(entries),
        )
        .encode()
    )
    return document[: len(document) // 2] if feed.kind is Kind.BROKEN else document
