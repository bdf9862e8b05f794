"""Messages come out of the stream as they went in, in whatever pieces it comes."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pools_prefork.messages import Reply, Request
from pools_prefork.protocol import REPLY, REQUEST, Decoder, encode_reply, encode_request

bytes_of = st.integers(min_value=0, max_value=255)
numbers = st.integers(min_value=0, max_value=2**64 - 1)
times = st.floats(allow_nan=False)
requests = st.builds(Request, bytes_of, bytes_of, st.integers(min_value=0, max_value=2**16 - 1), numbers, st.binary())
replies = st.builds(Reply, bytes_of, bytes_of, numbers, times, times, st.binary())


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream, cut at these places."""
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(requests), st.lists(st.integers(min_value=0)))
def test_requests_survive_any_cut(messages: list[Request], cuts: list[int]) -> None:
    stream = b"".join(encode_request(*message) for message in messages)
    decoder = Decoder(REQUEST, Request)
    assert [message for piece in pieces(stream, cuts) for message in decoder.feed(piece)] == messages


@given(st.lists(replies), st.lists(st.integers(min_value=0)))
def test_replies_survive_any_cut(messages: list[Reply], cuts: list[int]) -> None:
    stream = b"".join(encode_reply(*message) for message in messages)
    decoder = Decoder(REPLY, Reply)
    assert [message for piece in pieces(stream, cuts) for message in decoder.feed(piece)] == messages


def test_a_message_is_there_with_its_last_byte_and_not_before() -> None:
    stream = encode_request(2, number=7, body=b"body") + encode_request(4)
    decoder = Decoder(REQUEST, Request)
    found = [decoder.feed(stream[at : at + 1]) for at in range(len(stream))]
    assert [at for at, messages in enumerate(found, 1) if messages] == [REQUEST.size + 4, len(stream)]


def test_a_large_body_comes_in_many_pieces() -> None:
    body = bytes(range(256)) * (1 << 16)
    stream = encode_reply(1, number=3, body=body) + encode_reply(2, number=4)
    decoder = Decoder(REPLY, Reply)
    found = [reply for at in range(0, len(stream), 4096) for reply in decoder.feed(stream[at : at + 4096])]
    assert [(reply.number, len(reply.body)) for reply in found] == [(3, len(body)), (4, 0)]
    assert found[0].body == body
