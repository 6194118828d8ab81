"""A short run of the differential fuzz of the upstream client, and that it would find what it looks for."""

from collections import Counter

import pytest

from tests.fuzz import client_framing
from tests.fuzz.answer_streams import AnswerStreams, Played
from tests.fuzz.client_framing import LAXER, REUSED, STRICTER, Reader, compare, run

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

ALLOWED = {
    "length and coding": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "lengths": OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "lone LF": b"HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\na",
    "folded": OK + b"x: a\r\n b\r\nContent-Length: 1\r\n\r\na",
    "control characters": OK + b"x: a\x01b\r\nContent-Length: 1\r\n\r\na",
    "chunk space": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "long length": b"HTTP/1.1 304 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "empty extension": CHUNKED + b"1;\r\na\r\n0\r\n\r\n",
    "empty line": b"\r\n" + OK + b"Content-Length: 1\r\n\r\na",
    "reason": b"HTTP/1.1 200 O\x00\r\nContent-Length: 1\r\n\r\na",
    "version": b"HTTP/1.3 200 OK\r\nContent-Length: 1\r\n\r\na",
    "empty line behind": OK + b"Content-Length: 1\r\n\r\na\r\n",
    "keep-alive in 1.0": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
}
"""For each allowed difference an answer that shows it."""


async def test_generated_answers_are_read_as_h11_reads_them() -> None:
    found, _ = await run(seed=2, count=3000)

    assert found == []


@pytest.mark.parametrize("name", ALLOWED)
async def test_an_allowed_difference_is_one_of_the_table_and_found_without_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: Counter[str] = Counter()
    played = [Played("POST", [ALLOWED[name]], closes=False)]
    reader = Reader()
    try:
        assert compare(reader, played, used) is None
        assert used == {name: 1}
        for table in ("STRICTER", "LAXER", "REUSED"):
            monkeypatch.setattr(client_framing, table, ())
        assert compare(reader, played, used) is not None
    finally:
        reader.close()


def test_every_row_of_the_table_is_shown_and_cited() -> None:
    assert {row.name for row in (*STRICTER, *LAXER, *REUSED)} == {*ALLOWED}
    assert all("RFC 91" in row.why for row in (*STRICTER, *LAXER, *REUSED))


def test_answers_are_made_again_from_their_seed_and_number() -> None:
    assert AnswerStreams(5).answers(17) == AnswerStreams(5).answers(17)
