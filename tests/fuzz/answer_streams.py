"""Generated answers of upstreams: valid, nearly valid and hostile, several on one connection, split anywhere."""

import gzip
import random
from typing import NamedTuple

_STATUSES = (200, 200, 200, 200, 204, 304, 400, 429, 500, 503)
_BODIES = (b"", b"a", b"{}", b'{"id": "c1"}', b"data: x\n\n", b"x" * 300)
_NAMES = (b"x", b"X-A", b"Content-Type", b"connection", b"Keep-Alive", b"Date", b"x_y")
_VALUES = (b"", b"a", b"a b", b"  a\t", b"close", b"keep-alive", b"text/event-stream", b"\xc3\xb6", b"a, b")
_ODD_LINES = (
    b"x : a\r\n",
    b": a\r\n",
    b"x\r\n",
    b"x: a\x01b\r\n",
    b"x: a\x00b\r\n",
    b"x: a\r\n b\r\n",
    b"x: a\rb\r\n",
    b"x: a\n",
    b"(: a\r\n",
)
_ODD_STATUS_LINES = (
    b"HTTP/1.1 200\r\n",
    b"HTTP/1.1 200 \r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/2.0 200 OK\r\n",
    b"HTTP/1.1 20 OK\r\n",
    b"HTTP/1.1 2000 OK\r\n",
    b"HTTP/1.1 099 OK\r\n",
    b"HTTP/1.1  200 OK\r\n",
    b"ICY 200 OK\r\n",
    b"HTTP/1.1 200 OK\n",
    b"\r\nHTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n",
)
_ODD_LENGTHS = (b"-1", b"+1", b"1 1", b"0x1", b"", b"1, 1", b"1,2", b"99999999999999999999", b"1_0", b"01", b" 1 ")
_ODD_CODINGS = (b"gzip", b"gzip, chunked", b"chunked, chunked", b"Chunked", b"identity", b"xchunked", b"chunked, gzip")
_SIZES = (b"%x", b"%X", b"0%x", b"%x;a=b", b'%x;a="b"', b"%x ", b"%x;", b" %x", b"0x%x", b"+%x", b"-%x", b"%xg")
_TRAILERS = (
    b"",
    b"",
    b"x: y\r\n",
    b"x: y\r\nContent-Type: a/b\r\n",
    b"Content-Encoding: gzip\r\n",
    b"x: a\x00\r\n",
    b"bad\r\n",
)


class Played(NamedTuple):
    """One request's method, and what is played as its answer. `closes`: the connection ends behind it."""

    method: str
    pieces: list[bytes]
    closes: bool


class AnswerStreams:
    """The same seed and number make the same answers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def answers(self, number: int) -> list[Played]:
        chance = random.Random(f"{self._seed}:{number}")
        return [_played(chance) for _ in range(chance.choice((1, 1, 2, 3)))]


def _played(chance: random.Random) -> Played:
    method = chance.choice(("POST", "POST", "POST", "GET", "HEAD"))
    odd = chance.random() < 0.5
    sent = b"".join(_announcement(chance) for _ in range(chance.choice((0, 0, 0, 1, 2)))) + _answer(chance, odd=odd)
    if chance.random() < 0.1:
        sent = sent[: chance.randrange(len(sent) + 1)]
    if chance.random() < 0.05:
        at = chance.randrange(len(sent) + 1)
        sent = sent[:at] + bytes([chance.randrange(256)]) + sent[at + chance.randrange(2) :]
    if chance.random() < 0.05:
        sent += chance.choice((b"\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"x"))
    return Played(method, _split(chance, sent), chance.random() < 0.4)


def _announcement(chance: random.Random) -> bytes:
    return chance.choice(
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n", b"HTTP/1.1 102 x\r\n\r\n")
    )


def _answer(chance: random.Random, *, odd: bool) -> bytes:
    status = b"HTTP/1.1 %d OK\r\n" % chance.choice(_STATUSES)
    if odd and chance.random() < 0.2:
        status = chance.choice(_ODD_STATUS_LINES)
    lines = [b"%b: %b\r\n" % (chance.choice(_NAMES), chance.choice(_VALUES)) for _ in range(chance.randrange(4))]
    if odd and chance.random() < 0.2:
        lines.append(chance.choice(_ODD_LINES))
    body = chance.choice(_BODIES)
    if chance.random() < 0.2:
        lines.append(b"Content-Encoding: gzip\r\n")
        body = b"".join(gzip.compress(body, mtime=0) for _ in range(chance.choice((1, 1, 2, 3))))
    framing = chance.choice(("length", "length", "chunks", "chunks", "end", "both" if odd else "length"))
    if framing in {"length", "both"}:
        length = b"%d" % len(body)
        if odd and chance.random() < 0.2:
            length = chance.choice(_ODD_LENGTHS)
        lines += [b"Content-Length: %b\r\n" % length] * chance.choice((1, 1, 1, 2 if odd else 1))
    if framing in {"chunks", "both"}:
        coding = chance.choice(_ODD_CODINGS) if odd and chance.random() < 0.2 else b"chunked"
        lines.append(b"Transfer-Encoding: %b\r\n" % coding)
        body = _chunked(chance, body, odd=odd)
    chance.shuffle(lines)
    return status + b"".join(lines) + b"\r\n" + body


def _chunked(chance: random.Random, body: bytes, *, odd: bool) -> bytes:
    chunks = []
    while body:
        size = chance.randint(1, len(body))
        form = chance.choice(_SIZES[: len(_SIZES) if odd and chance.random() < 0.3 else 3])
        end = chance.choice((b"\n", b"", b"\r\n ")) if odd and chance.random() < 0.05 else b"\r\n"
        chunks.append(form % size + b"\r\n" + body[:size] + end)
        body = body[size:]
    trailers = chance.choice(_TRAILERS if odd else _TRAILERS[:4])
    return b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


def _split(chance: random.Random, sent: bytes) -> list[bytes]:
    if chance.random() < 0.1:
        return [sent[at : at + 1] for at in range(len(sent))]
    cuts = sorted(chance.randrange(len(sent) + 1) for _ in range(chance.randrange(5)))
    return [piece for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True) if (piece := sent[start:end])]
