"""Differential fuzz of the upstream client's framing: the gateway's connection and h11 read the same answers.

    python -m tests.fuzz.client_framing --answers 20000 [--seed 1]

Both find the same status, headers and body, or both find no whole answer; a connection is used again only where h11
would use it. A difference is printed with its seed and number, for `KEPT`, which every run begins with.
"""

import argparse
import asyncio
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import h11
import httpx

from adapters.transport.connection import Connection
from adapters.transport.limits import TransportLimits
from tests.fuzz.answer_streams import AnswerStreams, Played
from tests.fuzz.server_framing import MemoryTransport

KEPT = (
    (1, 22),
    (1, 26),
    (1, 1275),
    (1, 3782),
    (20261129, 982),
    (20261129, 10204),
    (20261129, 58096),
    (20261129, 82531),
)
"""Seed and number of answers that once made a difference."""


class Answered(NamedTuple):
    """What a client made of an answer; `failed` where it is not whole. `reusable`: another request may follow."""

    failed: bool
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    reusable: bool = False

    def said(self) -> tuple[object, ...]:
        if self.failed:
            return ("no whole answer",)
        headers = [(n, v.lower() if n == b"transfer-encoding" else v) for n, v in self.headers]
        return self.status, headers, self.body


FAILED = Answered(True)


def read_by_h11(played: list[Played]) -> list[Answered]:
    """Up to the first answer after which its connection is not used again."""
    answers: list[Answered] = []
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=32 * 1024)
    for one in played:
        client.send(h11.Request(method=one.method, target="/", headers=[("host", "up")]))
        client.send(h11.EndOfMessage())
        answers.append(_one_by_h11(client, one))
        if not answers[-1].reusable:
            break
        client.start_next_cycle()
    return answers


def _one_by_h11(client: h11.Connection, one: Played) -> Answered:
    response: h11.Response | None = None
    body = b""
    try:
        for place, piece in enumerate((*one.pieces, b"") if one.closes else one.pieces):
            client.receive_data(piece)
            while True:
                event = client.next_event()
                if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                    break
                if isinstance(event, h11.Response):
                    response = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage) and response is not None:
                    more = one.closes or place + 1 < len(one.pieces)
                    return _whole(client, response, body, more=more)
    except h11.RemoteProtocolError:
        return FAILED
    return FAILED


def _whole(client: h11.Connection, response: h11.Response, body: bytes, *, more: bool) -> Answered:
    """`more` came behind it, bytes or the end of the connection."""
    done = client.their_state is h11.DONE and client.our_state is h11.DONE
    headers = tuple((name.lower(), value) for name, value in response.headers.raw_items())
    return Answered(False, response.status_code, headers, body, done and not more and not client.trailing_data[0])


class Reader:
    """The gateway's connection over a transport in memory."""

    def __init__(self) -> None:
        self._socket, self._other = socket.socketpair()

    def close(self) -> None:
        self._socket.close()
        self._other.close()

    def read(self, played: list[Played]) -> list[Answered]:
        free: list[Connection] = []
        connection = Connection(TransportLimits(), free.append, lambda gone: None, self._socket, 0.001)
        transport = MemoryTransport()
        connection.connection_made(transport)
        connection.adopt()
        answers: list[Answered] = []
        for one in played:
            free.clear()
            exchange = connection.start(b"", b"", is_head=one.method == "HEAD")
            for piece in one.pieces:
                if transport.closed:
                    break
                connection.data_received(piece)
            if one.closes and not transport.closed:
                connection.connection_lost(None)
            if not exchange.complete:
                exchange.fail(httpx.ReadError("over"))
            if exchange.answered.done():
                exchange.answered.exception()
            failed = not exchange.complete
            headers = tuple((name.lower(), value) for name, value in exchange.headers)
            reusable = bool(free) and not connection.gone
            answers.append(FAILED if failed else Answered(False, exchange.status, headers, exchange.body(), reusable))
            if not reusable:
                break
        return answers


class Row(NamedTuple):
    """An allowed difference: what the bytes hold, and why."""

    name: str
    why: str
    holds: Callable[[Played], bool]


def _sent(one: Played) -> bytes:
    return b"".join(one.pieces)


def _matches(pattern: bytes) -> Callable[[Played], bool]:
    found = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return lambda one: found.search(_sent(one)) is not None


STRICTER: tuple[Row, ...] = (
    Row(
        "length and coding",
        "RFC 9112 6.1: it looks like smuggling",
        _matches(rb"\ncontent-length:.*\ntransfer-encoding:|\ntransfer-encoding:.*\ncontent-length:"),
    ),
    Row("lengths", "RFC 9112 6.3", _matches(rb"\ncontent-length:.*\ncontent-length:|content-length: *\d+ *,")),
    Row("lone LF", "RFC 9112 2.2", _matches(rb"(?<!\r)\n")),
    Row("folded", "RFC 9112 5.2", _matches(rb"\r\n[ \t]")),
    Row("control characters", "RFC 9110 5.5", _matches(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")),
    Row("chunk space", "RFC 9112 7.1", _matches(rb"\r\n[0-9a-f]+ +[\r;]")),
    Row("long length", "RFC 9110 8.6: more than 64 bits", _matches(rb"\ncontent-length: *\d{19}")),
    Row("version", "RFC 9110 2.5: none that there is", _matches(rb"HTTP/(?!1\.[01] )")),
    Row("empty extension", "RFC 9112 7.1.1", _matches(rb"\r\n[0-9a-f]+;\r\n")),
)
"""Where we find no whole answer, and h11 does."""

LAXER: tuple[Row, ...] = (
    Row("empty line", "RFC 9112 2.2: between messages", _matches(rb"(?:^|\r\n\r\n)(?:\r\n)+HTTP")),
    Row(
        "reason",
        "RFC 9112 4: a client leaves it unread",
        _matches(rb"HTTP/1\.\d [1-5]\d\d [^\r\n]*[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    ),
)
"""Where we find an answer, and h11 does not."""

REUSED: tuple[Row, ...] = (
    Row("empty line behind", "RFC 9112 2.2: skipped before the next answer", _matches(rb"[\r\n]$")),
    Row("keep-alive in 1.0", "RFC 9112 9.3", _matches(rb"HTTP/1\.0 .*\nconnection: *keep-alive")),
)
"""Where we use a connection again behind the same answer, and h11 does not."""


def compare(reader: Reader, played: list[Played], used: Counter[str]) -> str | None:
    """What is different, None where nothing is."""
    theirs, ours = read_by_h11(played), reader.read(played)
    for one, their, our in zip(played, theirs, ours, strict=False):
        if their.said() == our.said() and (their.reusable or not our.reusable):
            if their.reusable and not our.reusable and not one.closes:
                used["closed where h11 would go on"] += 1
            continue
        rows = REUSED if their.said() == our.said() else STRICTER if our.failed else LAXER
        row = next((row for row in rows if row.holds(one)), None)
        if row is None:
            return f"h11:  {their}\nours: {our}\nsent: {one}"
        used[row.name] += 1
        return None
    return None


async def run(seed: int, count: int, most: int = 5) -> tuple[list[str], Counter[str]]:
    """Compare that many, after those kept. Returns what differed, and how often each exception counted."""
    used: Counter[str] = Counter()
    found: list[str] = []
    reader = Reader()
    for one_seed, number in (*KEPT, *((seed, number) for number in range(count))):
        difference = compare(reader, AnswerStreams(one_seed).answers(number), used)
        if difference is not None:
            found.append(f"seed {one_seed}, number {number}\n{difference}\n")
            if len(found) >= most:
                break
    reader.close()
    return found, used


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--answers", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--most", type=int, default=5)
    wanted = options.parse_args()
    began = time.monotonic()
    found, used = asyncio.run(run(wanted.seed, wanted.answers, wanted.most))
    seconds = time.monotonic() - began
    sys.stdout.write("\n".join(found))
    sys.stdout.write(f"{wanted.answers} answers of seed {wanted.seed} in {seconds:.0f} s: {len(found)} differences; ")
    sys.stdout.write(f"allowed ones: {dict(used.most_common())}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
