"""A short run of the differential fuzz of the server's framing, and that it would find what it looks for."""

from collections import Counter

import pytest

from tests.fuzz import h11_oracle
from tests.fuzz.h11_oracle import Stricter
from tests.fuzz.request_streams import Streams
from tests.fuzz.server_framing import Reader, compare, run

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

ALLOWED = {
    "control": HEAD + b"x: a\x01b\r\n\r\n",
    "folded": HEAD + b"x: a\r\n b\r\n\r\n",
    "lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "long length": HEAD + b"Content-Length: 0000000000000000001\r\n\r\na",
    "length and coding": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in 1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "version": HEAD.replace(b"1.1", b"2.0") + b"\r\n",
    "host in 1.2": b"GET / HTTP/1.2\r\n\r\n",
    "target": HEAD.replace(b"/ ", b"/#x ") + b"\r\n",
    "tunnel": HEAD.replace(b"POST", b"CONNECT") + b"\r\n",
    "large head": HEAD + b"x: " + b"y" * 33_000 + b"\r\n\r\n",
    "chunk control": CHUNKED + b"1;\x00\r\na\r\n0\r\n\r\n",
    "chunk space": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "chunk size": CHUNKED + b"0000000000000001\r\na\r\n0\r\n\r\n",
    "trailer control": CHUNKED + b"0\r\nx: \x01\r\n\r\n",
    "folded trailer": CHUNKED + b"0\r\nx: a\r\n b\r\n\r\n",
    "many trailers": CHUNKED + b"0\r\n" + b"x: a\r\n" * 200 + b"\r\n",
    "no token": b"(a",
    "lone LF": b"GET / HTTP/1.1\nHost:",
    "lone LF in trailers": CHUNKED + b"0\r\nx: a\nb",
    "framing in trailers": CHUNKED + b"0\r\nContent-Length: x\r\n\r\n",
}
"""For each allowed difference a stream that shows it."""


async def test_generated_streams_are_read_as_h11_reads_them() -> None:
    found, _ = await run(seed=2, count=1500)

    assert found == []


@pytest.mark.parametrize("name", ALLOWED)
async def test_an_allowed_difference_is_one_of_the_table(name: str) -> None:
    used: Counter[str] = Counter()

    assert await compare(Reader(), [ALLOWED[name]], used) is None
    assert used == {name: 1}


def test_every_row_of_the_table_is_shown_and_cited() -> None:
    rows = [(row.name, row.citation) for row in h11_oracle.STRICTER] + [*h11_oracle.LAXER]

    assert {name for name, _ in rows} == {*ALLOWED, "empty line"}
    assert all("RFC 91" in citation or "as " in citation for _, citation in rows)


@pytest.mark.parametrize("row", h11_oracle.HEAD, ids=lambda row: row.name)
async def test_a_difference_that_is_not_allowed_is_found(row: Stricter, monkeypatch: pytest.MonkeyPatch) -> None:
    others = tuple(other for other in h11_oracle.HEAD if other is not row)
    monkeypatch.setattr(h11_oracle, "HEAD", others)

    assert await compare(Reader(), [ALLOWED[row.name]], Counter()) is not None


async def test_an_empty_line_before_a_request_is_ignored_once() -> None:
    for pieces in ([b"\r\n" + HEAD + b"\r\n"], [b"\r", b"\n", HEAD, b"\r\n"], [b"\r\n\r\n" + HEAD + b"\r\n"]):
        assert await compare(Reader(), pieces, Counter()) is None


def test_a_stream_is_made_again_from_its_seed_and_number() -> None:
    assert Streams(5).pieces(17) == Streams(5).pieces(17)
    assert Streams(5).pieces(17) != Streams(6).pieces(17)
