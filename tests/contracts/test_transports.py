"""What every upstream transport answers: framing, headers, limits, reuse, back-pressure (R-08, R-34, R-35, R-44)."""

import asyncio
import gzip
import random
import zlib
from typing import Any

import httpx
import pytest

from adapters.transport.response_stream import UnreadableAnswer
from tests.contracts.conftest import Certificates, Transports
from tests.contracts.transport_servers import (
    OK,
    Wire,
    always,
    answering,
    deaf_port,
    echo,
    everyone_left,
    read,
    send,
    upstream,
)
from tests.waiting import HANG_SECONDS


async def test_an_answer_keeps_its_status_and_every_raw_header_in_order(transports: Transports) -> None:
    answer = (
        b"HTTP/1.1 429 Slow Down\r\nx-one: 1\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 4\r\n\r\nwait"
    )
    async with upstream(always(answer)) as server:
        response = await send(transports.to(server.url()), server.url())

        assert (response.status_code, await read(response)) == (429, b"wait")
        names = [name.lower() for name, _ in response.headers.raw]
        assert names == [b"x-one", b"set-cookie", b"set-cookie", b"content-length"]
        assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_a_request_is_sent_with_its_headers_and_little_else(transports: Transports) -> None:
    async with upstream(answering(OK)) as server:
        headers = httpx.Headers([("authorization", "Bearer k"), ("content-type", "application/json")])
        await read(await send(transports.to(server.url()), server.url("/v1/a%20b?c=d"), b'{"x":1}', headers=headers))

        request = server.received[0]
        lines = request.head.lower().rstrip().split(b"\r\n")
        assert request.head.startswith(b"POST /v1/a%20b?c=d HTTP/1.1\r\n")
        assert request.body == b'{"x":1}'
        assert b"accept-encoding: identity" in lines
        assert f"host: 127.0.0.1:{server.port}".encode() in lines
        names = {line.partition(b":")[0] for line in lines[1:]}
        assert names - {b"accept", b"user-agent"} == {
            b"authorization",
            b"content-type",
            b"accept-encoding",
            b"host",
            b"content-length",
        }


async def test_wrong_framing_headers_of_the_caller_are_corrected(transports: Transports) -> None:
    async with upstream(answering(OK)) as server:
        headers = httpx.Headers([("content-length", "3"), ("transfer-encoding", "chunked")])
        await read(await send(transports.to(server.url()), server.url(), b"twelve bytes", headers=headers))

        request = server.received[0]
        assert request.body == b"twelve bytes"
        assert request.head.lower().count(b"content-length") == 1
        assert b"transfer-encoding" not in request.head.lower()


@pytest.mark.parametrize("value", ["a\r\nx-smuggled: 1", "a\nx-smuggled: 1", "a\0b"])
async def test_a_header_that_breaks_its_line_is_never_sent(transports: Transports, value: str) -> None:
    async with upstream(answering(OK)) as server:
        with pytest.raises(httpx.LocalProtocolError):
            await send(transports.to(server.url()), server.url(), headers=httpx.Headers({"x-value": value}))

        assert server.received == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
    ],
    ids=["length", "chunked", "trailer", "until-close", "http-1.0", "early-hints"],
)
@pytest.mark.parametrize("piece_bytes", [1, 4096])
async def test_every_framing_gives_the_whole_body(transports: Transports, answer: bytes, piece_bytes: int) -> None:
    async def script(wire: Wire, _: int) -> None:
        await wire.receive()
        for start in range(0, len(answer), piece_bytes):
            await wire.send(answer[start : start + piece_bytes])
            await asyncio.sleep(0)
        wire.finish()

    async with upstream(script) as server:
        response = await send(transports.to(server.url()), server.url())

        assert (response.status_code, await read(response)) == (200, b"hello")
        assert "link" not in response.headers


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("POST", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 500\r\n\r\n"),
        ("POST", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ],
)
async def test_answers_without_a_body_end_at_once(transports: Transports, method: str, answer: bytes) -> None:
    async with upstream(always(answer)) as server:
        transport = transports.to(server.url())
        for _ in range(2):
            assert await read(await send(transport, server.url(), method=method)) == b""


async def test_a_redirect_is_an_answer_like_any_other(transports: Transports) -> None:
    async with upstream(always(OK)) as target:
        location = b"HTTP/1.1 307 Elsewhere\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % target.url().encode()
        async with upstream(always(location)) as server:
            response = await send(transports.to(server.url()), server.url())

        assert response.status_code == 307
        assert target.accepted == 0


async def test_cookies_are_not_kept_and_the_environment_names_no_proxy(
    transports: Transports, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deaf_port() as nowhere:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nowhere}")
        answer = b"HTTP/1.1 200 OK\r\nset-cookie: sid=1; path=/\r\ncontent-length: 2\r\n\r\nok"
        async with upstream(always(answer)) as server:
            transport = transports.to(server.url())
            for _ in range(2):
                await read(await send(transport, server.url()))

    assert all(b"cookie:" not in request.head.lower() for request in server.received)


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(text) + packer.flush()


WORDS = b"words " * 2000 + random.Random(1).randbytes(500)
LONG = random.Random(2).randbytes(3000) * 50 + WORDS  # longer than what is decoded in one step
MEMBERS = gzip.compress(WORDS[:40]) + gzip.compress(b"") + gzip.compress(WORDS[40:])
PACKED = {
    "gzip": (b"gzip", gzip.compress(WORDS), WORDS),
    "gzip by its old name": (b"X-GZIP", gzip.compress(WORDS), WORDS),
    "gzip in several members": (b"gzip", MEMBERS, WORDS),
    "gzip in several members, padded": (b"gzip", MEMBERS + bytes(512), WORDS),
    "gzip, then the beginning of a member": (b"gzip", gzip.compress(WORDS) + b"\x1f", WORDS),
    "gzip in a thousand members": (b"gzip", gzip.compress(b"w") * 1000, b"w" * 1000),
    "gzip, long": (b"gzip", gzip.compress(LONG), LONG),
    "deflate": (b"deflate", zlib.compress(WORDS), WORDS),
    "deflate, long": (b"deflate", zlib.compress(LONG), LONG),
    "raw deflate": (b"deflate", raw_deflate(WORDS), WORDS),
    "raw deflate, long": (b"deflate", raw_deflate(LONG), LONG),
    "deflate that is gzip": (b"deflate", gzip.compress(WORDS), WORDS),
    "gzip that is deflate": (b"gzip", zlib.compress(WORDS), WORDS),
    "gzip, beside an identity": (b"identity, gzip", gzip.compress(WORDS), WORDS),
    "identity": (b"identity", WORDS, WORDS),
    "gzip of nothing": (b"gzip", gzip.compress(b""), b""),
    "gzip without a byte": (b"gzip", b"", b""),
}


@pytest.mark.parametrize("piece_bytes", [1, 7, 1_000_000])
@pytest.mark.parametrize("case", PACKED)
async def test_a_body_compressed_unasked_is_decoded(transports: Transports, case: str, piece_bytes: int) -> None:
    coding, packed, text = PACKED[case]
    if len(packed) / piece_bytes > 3000:
        packed_pieces = [packed[:1], packed[1:]]
    else:
        packed_pieces = [packed[at : at + piece_bytes] for at in range(0, len(packed), piece_bytes)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in packed_pieces)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ntransfer-encoding: chunked\r\n\r\n" % coding
    async with upstream(always(head + chunks + b"0\r\n\r\n")) as server:
        response = await send(transports.to(server.url()), server.url())

        assert await read(response) == text
        assert response.headers.get("content-encoding", "identity") == "identity"


@pytest.mark.parametrize("case", ["bomb", "bomb in members", "damaged", "cut", "cut in its second member", "unknown"])
async def test_a_bad_coding_is_an_error_and_costs_no_memory(transports: Transports, case: str) -> None:
    """R-34: a bomb of 1:200 and more is refused before it is unpacked."""
    packed = {
        "bomb": gzip.compress(bytes(16 * 2**20), compresslevel=1),
        "bomb in members": gzip.compress(bytes(2**20)) * 16,
        "damaged": b"this is not gzip",
        "cut": gzip.compress(random.Random(1).randbytes(500))[:-9],
        "cut in its second member": gzip.compress(b"whole") + gzip.compress(b"not whole")[:-9],
        "unknown": b"zstandard, perhaps",
    }
    coding = b"zstd" if case == "unknown" else b"gzip"
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (coding, len(packed[case]))
    async with upstream(always(head + packed[case])) as server:
        with pytest.raises(httpx.RemoteProtocolError, match=r"compressed|unpacks|coding") as raised:
            await read(await send(transports.to(server.url()), server.url()))
    assert isinstance(raised.value, UnreadableAnswer) is not case.startswith("cut")


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_of_6000_unique_bodies_over_48_connections_none_is_lost_or_swapped(
    transports: Transports, certificates: Certificates, secure: bool
) -> None:
    tls = certificates.server(certificates.authority.issue_cert("127.0.0.1")) if secure else None
    async with upstream(echo, tls=tls) as server:
        transport = transports.to(server.url(), max_connections=48)
        numbers = iter(range(6000))
        wrong: list[int] = []

        async def caller() -> None:
            for number in numbers:
                body = b"%d-" % number * (1 + number % 37 + 400 * (number % 50 == 0))
                if await read(await send(transport, server.url(), body)) != body:
                    wrong.append(number)

        await asyncio.gather(*(caller() for _ in range(48)))

        assert wrong == []
        assert len(server.received) == 6000
        assert server.accepted <= 48


async def test_one_connection_serves_one_caller_again_and_again(transports: Transports) -> None:
    async with upstream(always(OK)) as server:
        transport = transports.to(server.url())
        for _ in range(20):
            assert await read(await send(transport, server.url())) == b"ok"

        assert server.accepted == 1


@pytest.mark.parametrize("limit", ["keepalive_seconds", "connection_max_age_seconds"])
async def test_an_old_connection_is_not_used_again(transports: Transports, limit: str) -> None:
    async with upstream(always(OK)) as server:
        limits: dict[str, Any] = {limit: 0.05}
        transport = transports.to(server.url(), **limits)
        for _ in range(2):
            assert await read(await send(transport, server.url())) == b"ok"
            await asyncio.sleep(0.1)

        assert server.accepted == 2


async def test_a_slow_reader_stops_the_upstream_and_then_gets_all_50_megabytes(transports: Transports) -> None:
    """R-35: what is not read stays with the upstream, apart from the kernel's buffers and ours."""
    size, sent = 50 * 2**20, 0
    taken = asyncio.Event()

    async def script(wire: Wire, _: int) -> None:
        nonlocal sent
        await wire.receive()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            await wire.send(bytes(65536))
            sent += 65536
        await taken.wait()  # aiohttp can lose the end of what it has not read when the upstream hangs up

    async with upstream(script) as server:
        response = await send(transports.to(server.url()), server.url())
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        blocks = stream.__aiter__()
        total = len(await anext(blocks))
        await asyncio.sleep(0.2)

        assert sent < 20 * 2**20
        async for block in blocks:
            total += len(block)
        taken.set()
        assert total == size


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        (b"x-long: " + b"a" * 9000 + b"\r\n", True),
        (b"x-many: 1\r\n" * 100, True),
        (b"x-many: 1\r\n" * 300, False),
        (b"x-long: " + b"a" * 40_000 + b"\r\n", False),
        ((b"x-some: " + b"a" * 1000 + b"\r\n") * 60, False),
    ],
    ids=["9 kB", "100", "300", "40 kB in one", "60 kB in all"],
)
async def test_headers_are_bounded(transports: Transports, headers: bytes, accepted: bool) -> None:
    async with upstream(always(b"HTTP/1.1 200 OK\r\n" + headers + b"content-length: 2\r\n\r\nok")) as server:
        transport = transports.to(server.url())
        if accepted:
            assert await read(await send(transport, server.url())) == b"ok"
        else:
            with pytest.raises(httpx.RemoteProtocolError):
                await send(transport, server.url())


async def test_a_head_that_never_ends_is_cut(transports: Transports) -> None:
    async def script(wire: Wire, _: int) -> None:
        await wire.receive()
        await wire.send(b"HTTP/1.1 200 OK\r\nx-endless: ")
        while True:
            await wire.send(b"a" * 4096)

    async with upstream(script) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await asyncio.wait_for(send(transports.to(server.url()), server.url()), HANG_SECONDS)


async def test_closing_the_transport_closes_idle_and_busy_connections(transports: Transports) -> None:
    async def script(wire: Wire, number: int) -> None:
        await wire.receive()
        await wire.send(OK if number == 0 else b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart")
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transports.to(server.url())
        idle, busy = await asyncio.gather(send(transport, server.url()), send(transport, server.url()))
        if idle.headers["content-length"] == "9":
            idle, busy = busy, idle
        await read(idle)
        await transport.aclose()

        await everyone_left(server)
        with pytest.raises(httpx.TransportError):
            await read(busy)
