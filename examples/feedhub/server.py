"""The server of the demonstration: HTTP/1.1 over real sockets, and as ill-behaved as the catalogue says.

    python -m examples.feedhub.server [--feeds N]

It listens on a free port of the loopback interface and prints ``listening on 127.0.0.1:PORT``. It ends when its
standard input is closed, so that it never outlives the program that started it, and on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import socket
import struct
import threading
from email.utils import formatdate
from http import HTTPStatus

from examples.feedhub.bodies import body
from examples.feedhub.catalogue import Feed, Kind, feeds

_HEAD_LIMIT = 16 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_STATUS = {Kind.MISSING: HTTPStatus.NOT_FOUND, Kind.FAILING: HTTPStatus.INTERNAL_SERVER_ERROR}
_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}


class Answer:
    """What is sent for one path, made once: serving it is then next to no work.

    Attributes:
        feed: The feed at that path; None for a path that has none.
        body: The body, as bytes.
    """

    def __init__(self, status: HTTPStatus, content_type: str, body: bytes, feed: Feed | None = None) -> None:
        self.feed = feed
        self.body = body
        self._start = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            f"Content-Type: {content_type}; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
        )

    @classmethod
    def of_status(cls, status: HTTPStatus, feed: Feed | None = None) -> Answer:
        """Return the answer that consists of its status."""
        return cls(status, "text/plain", f"{status.value} {status.phrase}\n".encode(), feed)

    @classmethod
    def of_feed(cls, feed: Feed) -> Answer:
        """Return what the server answers when ``feed`` is asked for."""
        if feed.kind in _STATUS:
            return cls.of_status(_STATUS[feed.kind], feed)
        return cls(HTTPStatus.OK, _TYPES[feed.format], body(feed), feed)

    def head(self, *, keep_alive: bool) -> bytes:
        """Return the status line and the header fields, with the empty line that ends them."""
        connection = "keep-alive" if keep_alive else "close"
        return f"{self._start}Date: {formatdate(usegmt=True)}\r\nConnection: {connection}\r\n\r\n".encode("ascii")


class Request:
    """The head of a request.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, head: bytes) -> None:
        request_line, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.path, version = request_line.split(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(f"not HTTP/1: {version!r}")
        self.headers = {}
        for line in fields:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"not a header field: {line!r}")
            self.headers[name.lower()] = value.strip()
        connection = self.headers.get("connection", "").lower()
        self.keep_alive = connection != "close" if version == "HTTP/1.1" else connection == "keep-alive"

    @property
    def has_body(self) -> bool:
        """Whether a body follows, which this server has no use for."""
        return "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"


class Connection(asyncio.Protocol):
    """One connection: requests are answered one after the other, each after the latency of its feed."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self._answers = answers
        self._received = b""
        self._answering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._answering is None:
            self._next_request()

    def _next_request(self) -> None:
        head, end, rest = self._received.partition(_END_OF_HEAD)
        if not end:
            if len(head) > _HEAD_LIMIT:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        self._received = rest
        try:
            request = Request(head)
        except ValueError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if request.method not in ("GET", "HEAD") or request.has_body:
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)
            return
        answer = self._answers.get(request.path) or Answer.of_status(HTTPStatus.NOT_FOUND)
        latency = answer.feed.latency if answer.feed else 0.0
        self._answering = asyncio.get_running_loop().call_later(latency, self._answer, request, answer)

    def _answer(self, request: Request, answer: Answer) -> None:
        self._answering = None
        if answer.feed and answer.feed.kind is Kind.RESET:
            self._reset()
            return
        head = answer.head(keep_alive=request.keep_alive)
        self._transport.write(head if request.method == "HEAD" else head + answer.body)
        if request.keep_alive:
            self._next_request()
        else:
            self._transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        answer = Answer.of_status(status)
        self._transport.write(answer.head(keep_alive=False) + answer.body)
        self._transport.close()

    def _reset(self) -> None:
        # A socket that lingers for no time is reset when it is closed: the client's read fails.
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


def _stop_at_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # A thread, since standard input may be anything, and not all of it can be waited for by a selector.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


async def serve(count: int) -> None:
    """Serve the first ``count`` feeds until told to stop."""
    answers = {feed.path: Answer.of_feed(feed) for feed in feeds(count)}
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Connection(answers), "127.0.0.1", 0, backlog=4096)
    threading.Thread(target=_stop_at_end_of_stdin, args=(loop, stop), daemon=True).start()
    host, port = server.sockets[0].getsockname()
    print(f"listening on {host}:{port}", flush=True)
    await stop.wait()
    server.close()


def main() -> None:
    """Run the server."""
    parser = argparse.ArgumentParser(description="Serve the feeds of the demonstration.")
    parser.add_argument("--feeds", type=int, default=1000, metavar="N", help="how many feeds there are (1000)")
    count = parser.parse_args().feeds
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(serve(count))


if __name__ == "__main__":
    main()
