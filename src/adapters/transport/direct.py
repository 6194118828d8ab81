"""Asks an upstream without httpx's request and response objects, whose making costs as much as the rest of a call.

`httpx.AsyncBaseTransport` stays the interface by which transports are handed around and exchanged: what does not
speak `DirectTransport` (another library's, a test's mock) is asked through it.
"""

from abc import ABC, abstractmethod
from typing import cast

import httpx
from typing_extensions import override

from adapters.transport.response_stream import UpstreamResponse
from domain.timeouts import Timeouts


class DirectTransport(httpx.AsyncBaseTransport, ABC):
    """A transport that can do without httpx's objects."""

    @abstractmethod
    async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> UpstreamResponse:
        """Raises what `handle_async_request` raises."""

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        answer = await self.ask(request.method, request.url, request.headers, body)
        stream = answer.stream if answer.stream is not None else httpx.ByteStream(answer.body)
        return httpx.Response(answer.status, headers=answer.headers, stream=stream)


class ThroughHttpx(DirectTransport):
    """Any other transport. `timeouts` are told to it, as some keep their own."""

    def __init__(self, transport: httpx.AsyncBaseTransport, timeouts: Timeouts) -> None:
        self._transport = transport
        self._extensions = {
            "timeout": {"connect": timeouts.connect, "pool": timeouts.pool, "read": None, "write": None}
        }

    @override
    async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> UpstreamResponse:
        request = httpx.Request(
            method, url, headers=headers, stream=httpx.ByteStream(body), extensions=self._extensions
        )
        response = await self._transport.handle_async_request(request)
        return UpstreamResponse(
            response.status_code, response.headers.raw, stream=cast(httpx.AsyncByteStream, response.stream)
        )


def direct(transport: httpx.AsyncBaseTransport, timeouts: Timeouts) -> DirectTransport:
    """The transport as one that can be asked directly."""
    return transport if isinstance(transport, DirectTransport) else ThroughHttpx(transport, timeouts)
