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

from adapters.transport.egress import EgressGuard
from adapters.transport.limits import TransportLimits
from adapters.transport.origin import Origin


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: Response, request: StreamRequest) -> None:
        self._response = response
        self._request = request

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
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        if "accept-encoding" not in request.headers:
            headers.append(("accept-encoding", "identity"))
        stream = request.stream
        body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()
        sending = client.request(request.method, str(request.url)).headers(headers).body_bytes(body).build_streamed()
        try:
            response = await sending.__aenter__()
        except PyreqwestError as error:
            raise _translated(error) from error
        return httpx.Response(
            response.status, headers=list(response.headers.items()), stream=_Body(response, sending), request=request
        )

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
    if isinstance(error, ConnectError):
        return httpx.ConnectError(message)
    if isinstance(error, WriteError):
        return httpx.WriteError(message)
    if isinstance(error, ReadError):
        return httpx.ReadError(message)
    return httpx.RemoteProtocolError(message)
