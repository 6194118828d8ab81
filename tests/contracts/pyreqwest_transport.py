"""A thin transport over pyreqwest: a candidate, kept to be measured against the others, not shipped.

Its client has no resolver hook, so the guard's address can only be pinned when a client is built; this one
keeps a client for each (origin, address) and keeps using it while that address is among the answers.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    ConnectError,
    ConnectTimeoutError,
    PoolTimeoutError,
    PyreqwestError,
    ReadError,
    WriteError,
)
from pyreqwest.request import StreamRequest
from pyreqwest.response import Response
from typing_extensions import override

from adapters.transport.egress import EgressGuard, Origin
from adapters.transport.limits import TransportLimits
from adapters.transport.response_stream import DecodedStream, content_encoding, decodable, without_encoding


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: Response, request: StreamRequest) -> None:
        self._response = response
        self._request = request
        self._closed = False

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = self._response.body_reader.read_chunk
        try:
            while (piece := await read()) is not None:
                yield bytes(piece)
        except PyreqwestError as error:
            raise _translated(error) from error

    @override
    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.shield(self._request.__aexit__(None, None, None))


class PyreqwestTransport(httpx.AsyncBaseTransport):
    """The same answers and errors as the shipped transports, as far as the library lets it."""

    def __init__(self, limits: TransportLimits, guard: EgressGuard, *, ca_file: str | None = None) -> None:
        self._limits = limits
        self._guard = guard
        self._ca = Path(ca_file).read_bytes() if ca_file else None
        self._clients: dict[Origin, tuple[str, Client]] = {}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        client = await self._client(Origin.of(request.url))
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() not in {b"content-length", b"transfer-encoding"}
        ]
        if "accept-encoding" not in request.headers:
            headers.append(("accept-encoding", "identity"))
        stream = request.stream
        body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()
        try:
            builder = client.request(request.method, str(request.url)).headers(headers)
        except ValueError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        sending = builder.body_bytes(body).streamed_read_buffer_limit(0).build_streamed()
        try:
            response = await sending.__aenter__()
        except PyreqwestError as error:
            raise _translated(error) from error
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
        answer: httpx.AsyncByteStream = _Body(response, sending)
        if coding := content_encoding(raw):
            if not decodable(coding):
                await answer.aclose()
                raise httpx.RemoteProtocolError(f"The upstream answered in the coding {coding!r}.")
            raw, answer = without_encoding(raw), DecodedStream(answer, coding, self._limits)
        return httpx.Response(response.status, headers=raw, stream=answer, request=request)

    @override
    async def aclose(self) -> None:
        for _, client in self._clients.values():
            await client.close()

    async def _client(self, origin: Origin) -> Client:
        addresses = await self._guard.addresses(origin)
        pinned = self._clients.get(origin)
        if pinned is None or pinned[0] not in addresses:
            pinned = self._clients[origin] = (addresses[0], self._build(origin, addresses[0]))
        return pinned[1]

    def _build(self, origin: Origin, address: str) -> Client:
        limits = self._limits
        builder = (
            ClientBuilder()
            .resolve(origin.host, address, origin.port)
            .no_proxy()
            .follow_redirects(False)
            .gzip(False)
            .deflate(False)
            .brotli(False)
            .zstd(False)
            .max_connections(limits.max_connections)
            .connect_timeout(timedelta(seconds=limits.connect_seconds))
            .pool_timeout(timedelta(seconds=limits.pool_wait_seconds))
            .pool_idle_timeout(timedelta(seconds=limits.keepalive_seconds))
        )
        return (builder.add_root_certificate_pem(self._ca) if self._ca else builder).build()


def _translated(error: PyreqwestError) -> httpx.TransportError:
    message = f"{error.message} {getattr(error, 'details', '')}"
    if isinstance(error, ConnectTimeoutError):
        return httpx.ConnectTimeout(message)
    if isinstance(error, PoolTimeoutError):
        return httpx.PoolTimeout(message)
    if isinstance(error, ConnectError):  # also raised for connections lost after sending
        return httpx.ReadError(message) if "(SendRequest)" in message else httpx.ConnectError(message)
    if isinstance(error, WriteError):
        return httpx.WriteError(message)
    if isinstance(error, ReadError):
        return httpx.ReadError(message)
    return httpx.RemoteProtocolError(message)
