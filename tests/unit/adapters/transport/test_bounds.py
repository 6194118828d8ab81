"""What an answer may hold besides its body has an end, wherever it stands."""

import asyncio

import httpx
import pytest

from tests.contracts.transport_servers import Wire, always, read, send, upstream
from tests.unit.adapters.transport.test_httptools_transport import transport_to

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
ENDLESS = {
    "header value": (b"HTTP/1.1 200 OK\r\nx-endless: ", b"a" * 4096),
    "header name": (b"HTTP/1.1 200 OK\r\n", b"a" * 4096),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 700),
    "reason": (b"HTTP/1.1 200 O", b"K" * 4096),
    "announcements": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    "chunk extension": (CHUNKED + b"2;", b"x" * 4096),
    "chunk extension, byte by byte": (CHUNKED + b"2\r\nok\r\n2;", b"x"),
    "trailer value": (CHUNKED + b"2\r\nok\r\n0\r\nx: ", b"a" * 4096),
    "trailer name": (CHUNKED + b"2\r\nok\r\n0\r\n", b"a" * 4096),
    "trailers": (CHUNKED + b"2\r\nok\r\n0\r\n", b"x: y\r\n" * 700),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_what_never_ends_and_is_no_body_is_cut(what: str) -> None:
    """Also where it comes from a provider: bounded in bytes and in number, in time that grows no faster than both."""
    begin, more = ENDLESS[what]

    async def script(wire: Wire, _: int) -> None:
        await wire.receive()
        await wire.send(begin)
        while True:
            await wire.send(more)
            await asyncio.sleep(0)

    async with upstream(script) as server:
        transport = transport_to(server.url())
        with pytest.raises(httpx.RemoteProtocolError):
            await read(await send(transport, server.url()))
        await transport.aclose()


async def test_trailers_are_dropped() -> None:
    trailers = b"content-encoding: gzip\r\nx-ratelimit-remaining: 0\r\n" + b"x: y\r\n" * 100
    async with upstream(always(CHUNKED + b"2\r\nok\r\n0\r\n" + trailers + b"\r\n")) as server:
        transport = transport_to(server.url())
        for _ in range(2):
            response = await send(transport, server.url())
            assert await read(response) == b"ok"
            assert [name.lower() for name, _ in response.headers.raw] == [b"transfer-encoding"]

        assert server.accepted == 1
        await transport.aclose()
