"""Each state of a message, and the fault that each can have (S-39, S-40)."""

import pytest

from domain.errors import RequestInvalid
from entrypoints.http.edge.request_parser import RequestHead, RequestParser, State

HEAD = b"POST / HTTP/1.1\r\nhost: localhost\r\n"
SIZED = HEAD + b"content-length: 4\r\n\r\n"
EMPTY = HEAD + b"\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


class Kept:
    """What a parser found."""

    def __init__(self) -> None:
        self.heads: list[RequestHead] = []
        self.body = b""
        self.ends = 0

    def head_received(self, head: RequestHead) -> None:
        self.heads.append(head)

    def body_received(self, piece: bytes) -> None:
        self.body += piece

    def request_ended(self) -> None:
        self.ends += 1


STEPS: list[tuple[bytes, State]] = [
    (b"\r\n", State.HEAD), (HEAD, State.HEAD), (b"transfer-encoding: chunked\r\n\r\n", State.CHUNK_LINE),
    (b"3;a", State.CHUNK_LINE),
    (b"=b\r\n", State.CHUNK_DATA), (b"ab", State.CHUNK_DATA), (b"c", State.CHUNK_END), (b"\r", State.CHUNK_END),
    (b"\n", State.CHUNK_LINE), (b"0\r\n", State.TRAILERS), (b"x: y\r\n", State.TRAILERS), (b"\r\n", State.DONE),
    (SIZED, State.DONE),
]  # fmt: skip


def test_a_message_goes_through_its_states() -> None:
    kept = Kept()
    parser = RequestParser(kept, 1000)
    for data, state in STEPS:
        parser.feed(data)
        assert parser.state is state, data
    assert (len(kept.heads), kept.body, kept.ends, parser.held_bytes) == (1, b"abc", 1, len(SIZED))
    parser.proceed()
    assert parser.state is State.SIZED
    parser.feed(b"ab")
    assert (parser.state, parser.unread_bytes) == (State.SIZED, 2)
    parser.feed(b"cd")
    assert (parser.state, kept.ends) == (State.DONE, 2)
    parser.proceed()
    parser.feed(EMPTY)
    assert (parser.state, kept.ends) == (State.DONE, 3)


@pytest.mark.parametrize(
    ("before", "data", "code"),
    [
        (b"", b"\n", "invalid_http"), (b"", b"\r\n\r\n\r\n", "invalid_http"), (b"", b"x" * 1001, "headers_too_large"),
        (HEAD, b"x" * 1001 + b"\r\n\r\n", "headers_too_large"), (HEAD, b"x\n", "invalid_http"),
        (CHUNKED, b"x\r\n", "invalid_http"), (CHUNKED, b"1;" + b"x" * 17_000, "invalid_http"),
        (CHUNKED, b"1;" + b"x" * 17_000 + b"\r\n", "invalid_http"), (CHUNKED, b"f" * 16 + b"\r\n", "invalid_http"),
        (CHUNKED + b"1\r\na", b"b", "invalid_http"), (CHUNKED + b"1\r\na", b"\rb", "invalid_http"),
        (CHUNKED + b"0\r\n", b"x" * 1001, "headers_too_large"),
        (CHUNKED + b"0\r\n", b"no colon\r\n\r\n", "invalid_http"),
        (CHUNKED + b"0\r\n", b"a:\r\n" * 101 + b"\r\n", "headers_too_large"),
        (CHUNKED + b"0\r\n", b"\n", "invalid_http"),
    ],
)  # fmt: skip
def test_a_fault_is_found_in_every_state_that_can_have_one(before: bytes, data: bytes, code: str) -> None:
    parser = RequestParser(Kept(), 1000)
    if before:
        parser.feed(before)

    with pytest.raises(RequestInvalid) as caught:
        parser.feed(data)

    assert caught.value.code == code


@pytest.mark.parametrize("piece_bytes", [1, 7, 4096])
def test_a_body_in_tiny_chunks_is_read_whole(piece_bytes: int) -> None:
    kept = Kept()
    parser = RequestParser(kept, 1000)
    stream = CHUNKED + b"1\r\na\r\n" * 5000 + b"0\r\n\r\n"
    chunks = sum(parser.feed(stream[at : at + piece_bytes]) for at in range(0, len(stream), piece_bytes))

    assert (kept.body, kept.ends, chunks) == (b"a" * 5000, 1, 5001)
