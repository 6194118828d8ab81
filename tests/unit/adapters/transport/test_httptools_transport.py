"""What only the gateway's own transport does: bodies handed over with the head, one segment a request."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from typing_extensions import override

from adapters.transport.client import DEFAULT_TRANSPORT, build_transport
from adapters.transport.dial import dial
from adapters.transport.direct import DirectTransport
from adapters.transport.egress import EgressGuard
from adapters.transport.httptools_h1 import HttptoolsTransport
from adapters.transport.limits import TransportLimits
from adapters.transport.response_stream import UpstreamResponse
from tests.contracts.transport_servers import OK, Wire, after_request, always, everyone_left, read, send, trap, upstream
from tests.waiting import HANG_SECONDS


def transport_to(url: str, limits: TransportLimits | None = None) -> DirectTransport:
    transport = build_transport(DEFAULT_TRANSPORT, limits or TransportLimits(), EgressGuard.for_provider(url))
    assert isinstance(transport, DirectTransport)
    return transport


async def ask(transport: DirectTransport, url: str, headers: dict[str, str] | None = None) -> UpstreamResponse:
    return await transport.ask("POST", httpx.URL(url), httpx.Headers(headers), b"{}")


async def test_a_body_that_came_with_its_head_is_handed_over_without_a_stream() -> None:
    async with upstream(always(OK)) as server:
        transport = transport_to(server.url())
        answer = await ask(transport, server.url())

        assert answer.stream is None
        assert answer.body == b"ok"
        assert [piece async for piece in answer.pieces()] == [b"ok"]
        await transport.aclose()


async def test_a_body_still_on_its_way_is_a_stream() -> None:
    async def script(wire: Wire, _: int) -> None:
        await wire.receive()
        await wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n")
        await asyncio.sleep(0.02)
        await wire.send(b"late")

    async with upstream(script) as server:
        transport = transport_to(server.url())
        answer = await ask(transport, server.url())

        assert answer.stream is not None
        assert b"".join([piece async for piece in answer.pieces()]) == b"late"
        await transport.aclose()


async def test_a_connection_that_was_open_in_time_counts_though_the_loop_was_held_up_past_the_deadline() -> None:
    """A busy gateway is short of its own time: the provider answered at once, and must not look unreachable."""
    async with upstream(always(OK)) as server:
        transport = transport_to(server.url(), TransportLimits(connect_seconds=0.1))
        asking = asyncio.create_task(ask(transport, server.url()))
        asyncio.get_running_loop().call_soon(time.sleep, 0.3)

        assert (await asking).status == 200
        await transport.aclose()


async def test_headers_sent_before_are_not_mixed_up_with_others() -> None:
    """What is sent for one key must never go out for another (S-24)."""
    async with upstream(always(OK)) as server:
        transport = transport_to(server.url())
        for name in ("a", "b", "a", *(str(number) for number in range(40)), "b"):
            await ask(transport, server.url(), {"authorization": f"Bearer {name}"})
            assert f"Bearer {name}\r\n".encode() in server.received[-1].head
        await transport.aclose()


async def test_a_header_that_holds_a_line_break_is_refused_each_time() -> None:
    transport = transport_to("http://127.0.0.1/")
    for _ in range(2):
        with pytest.raises(httpx.LocalProtocolError):
            await ask(transport, "http://127.0.0.1/", {"x-from-outside": "a\r\nhost: other"})


async def test_an_upload_that_is_an_async_stream_is_sent_whole() -> None:
    class Parts(httpx.AsyncByteStream):
        @override
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"part one, "
            yield b"part two"

    async with upstream(always(OK)) as server:
        transport = transport_to(server.url())
        request = httpx.Request("POST", server.url(), stream=Parts())
        await read(await transport.handle_async_request(request))

        assert server.received[0].body == b"part one, part two"
        await transport.aclose()


async def test_idle_connections_are_closed_when_nobody_comes_back() -> None:
    async with upstream(always(OK)) as server:
        transport = transport_to(server.url(), TransportLimits(keepalive_seconds=0.03))
        await read(await send(transport, server.url()))

        await everyone_left(server)
        await transport.aclose()


async def test_callers_waiting_when_the_transport_closes_are_told() -> None:
    asked = asyncio.Event()

    async def script(wire: Wire, _: int) -> None:
        await wire.reader.readuntil(b"\r\n\r\n")
        asked.set()
        await wire.reader.read()

    async with upstream(script) as server:
        transport = transport_to(server.url(), TransportLimits(max_connections=1))
        tasks = [asyncio.create_task(send(transport, server.url())) for _ in range(3)]
        await asked.wait()
        await transport.aclose()
        results = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(result) for result in results} == {httpx.ReadError, httpx.ConnectError}
    with pytest.raises(httpx.ConnectError, match="closed"):
        await send(transport, server.url())


async def test_errors_carry_no_request_and_so_no_credential() -> None:
    async with upstream(after_request(b"")) as server:
        transport = transport_to(server.url())
        with pytest.raises(httpx.RemoteProtocolError) as raised:
            await send(transport, server.url(), headers=httpx.Headers({"authorization": "Bearer sk-canary"}))
        await transport.aclose()

    with pytest.raises(RuntimeError):
        _ = raised.value.request
    assert "canary" not in repr(raised.value)


async def test_the_second_address_is_tried_when_the_first_refuses() -> None:
    async with upstream(always(OK)) as server:
        connected = await dial(["127.0.0.9", "127.0.0.1"], server.port)

        assert connected.getpeername()[0] == "127.0.0.1"
        connected.close()


async def test_with_no_address_answering_the_last_error_is_told() -> None:
    with trap() as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        await dial(["127.0.0.1", "127.0.0.2"], port)


async def test_a_silent_first_address_does_not_hold_up_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect

    async def sock_connect(connecting: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.9":
            await asyncio.sleep(30)
        await connect(connecting, address)

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    async with upstream(always(OK)) as server:
        connected = await asyncio.wait_for(dial(["127.0.0.9", "127.0.0.1"], server.port), HANG_SECONDS)

        assert connected.getpeername()[0] == "127.0.0.1"
        connected.close()


async def test_a_transport_is_chosen_by_name() -> None:
    guard = EgressGuard.public_only()

    assert isinstance(build_transport("httptools", TransportLimits(), guard), HttptoolsTransport)
    with pytest.raises(ValueError, match="no transport 'httpcore'"):
        build_transport("httpcore", TransportLimits(), guard)


async def test_a_path_that_holds_a_line_break_is_refused() -> None:
    request = httpx.Request("GET\r\nx", "http://127.0.0.1/", stream=httpx.ByteStream(b""))
    with pytest.raises(httpx.LocalProtocolError):
        await transport_to("http://127.0.0.1/").handle_async_request(request)
