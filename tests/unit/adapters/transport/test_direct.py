"""A transport asked without httpx's objects, and one that knows only those, answer alike."""

import httpx

from adapters.transport.direct import direct
from adapters.transport.response_stream import UpstreamResponse
from domain.timeouts import Timeouts
from tests.contracts.transport_servers import OK, always, read, send, upstream
from tests.unit.adapters.transport.test_httptools_transport import transport_to

HEADERS = httpx.Headers({"Authorization": "Bearer key", "X-Two": "words here"})


async def test_any_transport_of_httpx_can_be_asked() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, headers={"X-Kept": "As-Is"}, content=b"output")

    transport = direct(httpx.MockTransport(answer), Timeouts(connect=7))
    output = await transport.ask("PUT", httpx.URL("http://up.example/v1"), HEADERS, b"body")

    assert (output.status, (b"X-Kept", b"As-Is") in output.headers) == (201, True)
    assert b"".join([piece async for piece in output.pieces()]) == b"output"
    assert (asked[0].method, str(asked[0].url), asked[0].content) == ("PUT", "http://up.example/v1", b"body")
    assert asked[0].headers["authorization"] == "Bearer key"
    assert asked[0].extensions["timeout"]["connect"] == 7


async def test_a_transport_that_can_be_asked_directly_is_not_wrapped() -> None:
    transport = transport_to("http://127.0.0.1/")

    assert direct(transport, Timeouts()) is transport


async def test_who_has_an_httpx_request_gets_an_httpx_response() -> None:
    async with upstream(always(OK)) as server:
        transport = transport_to(server.url())
        response = await send(transport, server.url(), headers=HEADERS)

        assert (response.status_code, await read(response)) == (200, b"ok")
        assert b"X-Two: words here\r\n" in server.received[0].head
        await transport.aclose()


async def test_an_answer_without_a_stream_is_one_piece() -> None:
    assert [piece async for piece in UpstreamResponse(200, [], body=b"whole").pieces()] == [b"whole"]
