"""The demonstration: its server does what the catalogue says, and its verdict can be trusted both ways."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from examples.feedhub.__main__ import serving
from examples.feedhub.catalogue import Feed, Kind, feed, feeds

ROOT = Path(__file__).parents[2]
COUNT = 100
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def server() -> Iterator[http.client.HTTPConnection]:
    with serving(COUNT) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
        yield connection
        connection.close()


def first(kind: Kind, format: str | None = None) -> Feed:
    return next(feed for feed in feeds(COUNT) if feed.kind is kind and format in (None, feed.format))


def get(server: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    server.request(method, path)
    response = server.getresponse()
    return response, response.read()


def test_a_thousand_feeds_have_every_kind_of_trouble() -> None:
    kinds = [feed.kind for feed in feeds(1000)]
    assert set(kinds) == set(Kind)
    assert kinds.count(Kind.GOOD) > 850
    assert kinds.count(Kind.HANGING) == 3
    assert {feed.format for feed in feeds(1000)} == {"rss", "atom"}


def test_rss(server: http.client.HTTPConnection) -> None:
    expected = first(Kind.GOOD, "rss")
    response, body = get(server, expected.path)
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    channel = etree.fromstring(body).find("channel")
    assert channel is not None
    assert channel.findtext("title") == expected.title
    items = channel.findall("item")
    assert len(items) == expected.entries >= 20
    assert all(item.findtext(name) for item in items for name in ("title", "link", "guid", "pubDate", "description"))


def test_atom(server: http.client.HTTPConnection) -> None:
    expected = first(Kind.GOOD, "atom")
    _, body = get(server, expected.path)
    root = etree.fromstring(body)
    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}title") == expected.title
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == expected.entries >= 20
    assert all(entry.findtext(f"{ATOM}{name}") for entry in entries for name in ("id", "title", "updated", "summary"))


def test_answers_take_as_long_as_the_catalogue_says(server: http.client.HTTPConnection) -> None:
    for kind in (Kind.GOOD, Kind.SLOW):
        expected = first(kind)
        started = time.monotonic()
        get(server, expected.path)
        assert time.monotonic() - started >= expected.latency * 0.9


@pytest.mark.parametrize(("kind", "status"), [(Kind.MISSING, 404), (Kind.FAILING, 500)])
def test_refusals(server: http.client.HTTPConnection, kind: Kind, status: int) -> None:
    response, _ = get(server, first(kind).path)
    assert response.status == status


def test_a_broken_feed_is_not_well_formed(server: http.client.HTTPConnection) -> None:
    response, body = get(server, first(Kind.BROKEN).path)
    assert response.status == 200
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(body)


def test_a_connection_is_reset(server: http.client.HTTPConnection) -> None:
    with pytest.raises(ConnectionResetError):
        get(server, first(Kind.RESET).path)
    server.close()


def test_a_feed_hangs(server: http.client.HTTPConnection) -> None:
    with socket.create_connection((server.host, server.port)) as connection:
        connection.sendall(f"GET {first(Kind.HANGING).path} HTTP/1.1\r\nHost: feeds\r\n\r\n".encode())
        connection.settimeout(1.0)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_connection_is_used_again_and_requests_may_come_at_once(server: http.client.HTTPConnection) -> None:
    expected = first(Kind.GOOD)
    request = f"GET {expected.path} HTTP/1.1\r\nHost: feeds\r\n"
    with socket.create_connection((server.host, server.port)) as connection:
        connection.settimeout(20)
        connection.sendall(f"{request}\r\n{request}Connection: close\r\n\r\n".encode())
        received = b""
        while data := connection.recv(65536):
            received += data
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert received.count(b"Connection: keep-alive\r\n") == 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nowhere HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /feeds/1.rss HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"405"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/9\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"G" * 20_000, b"431"),
    ],
)
def test_other_requests(server: http.client.HTTPConnection, request_: bytes, status: bytes) -> None:
    with socket.create_connection((server.host, server.port)) as connection:
        connection.settimeout(20)
        connection.sendall(request_)
        assert connection.recv(65536).startswith(b"HTTP/1.1 " + status)


def test_a_head_request_gets_no_body(server: http.client.HTTPConnection) -> None:
    response, body = get(server, first(Kind.GOOD).path, "HEAD")
    assert int(response.headers["Content-Length"]) > 1000
    assert body == b""


@pytest.mark.parametrize("end", ["stdin", "signal"])
def test_the_server_ends_with_its_parent_or_on_a_signal(end: str) -> None:
    command = [sys.executable, "-m", "examples.feedhub.server", "--feeds", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().startswith(b"listening on 127.0.0.1:")
        if end == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def demonstrate(cwd: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "examples.feedhub", *options]
    return subprocess.run(command, cwd=cwd, text=True, capture_output=True, timeout=100, check=False)


@pytest.mark.parametrize(
    ("pool", "concurrency"), [("gevent", 100), ("eventlet", 100), ("threads", 100), ("prefork", 16)]
)
def test_the_demonstration_tells_the_truth(pool: str, concurrency: int) -> None:
    done = demonstrate(ROOT, "--pool", pool, "-c", str(concurrency), "--feeds", str(COUNT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{pool}, {concurrency} at a time: " in done.stdout
    assert "feeds per second" in done.stdout
    for kind, count in (("feeds.StatusError: 404 Not Found", 3), ("feeds.NotAFeedError", 2), ("timed out", 3)):
        assert f"{count:5}  {kind}\n" in done.stdout
    assert "all as the server had it" in done.stdout


@pytest.mark.parametrize(
    ("lie", "found"),
    [
        ("return {**read(url), 'entries': 1}", "'entries': 1}, not {"),
        ("return {**read(url.replace('/4', '/1')), 'bytes': 0}", "feed 4 (good) was read as"),
        ("raise StatusError('404 Not Found')", "feed 0 (good) ended as 'feeds.StatusError: 404 Not Found'"),
    ],
)
def test_lies_are_found(tmp_path: Path, lie: str, found: str) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    reader = tmp_path / "examples" / "feedhub" / "feeds.py"
    reader.write_text(f"{reader.read_text()}\nread = fetch\n\ndef fetch(url):\n    {lie}\n")
    done = demonstrate(tmp_path, "--pool", "threads", "-c", "9", "--feeds", "9")
    assert done.returncode == 1
    assert found in done.stdout
    assert "all as the server had it" not in done.stdout


def test_bad_usage() -> None:
    assert demonstrate(ROOT, "--pool", "threads", "-c", "1", "-c", "2").returncode == 2
    assert "pools: no installed plugin" in demonstrate(ROOT, "--pool", "nope", "--feeds", "1").stderr


def test_a_feed_is_the_same_at_every_call() -> None:
    assert feed(7) == feed(7)
