"""The same transport over aiohttp's client: the alternative, for whoever trusts a library's HTTP more.

What it cannot do is said in docs/decisions/0010-upstream-transport.md.
"""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override
from yarl import URL

from adapters.transport.egress import EgressGuard, Origin
from adapters.transport.limits import TransportLimits
from adapters.transport.response_stream import (
    DecodedStream,
    RawHeaders,
    UnreadableAnswer,
    content_encoding,
    decodable,
    without_encoding,
)
from adapters.transport.tls import NO_FILES, TlsFiles, client_context

_BYTES_BODY_LIMIT = 2**20  # above it aiohttp warns that writing it at once holds up the loop
_OURS = frozenset({b"content-length", b"transfer-encoding", b"expect"})


class _GuardedResolver(AbstractResolver):
    """Hands aiohttp only addresses that the guard allows for the origin that is being opened."""

    def __init__(self, guard: EgressGuard) -> None:
        self._guard = guard
        self.schemes: dict[tuple[str, int], str] = {}  # aiohttp asks without the scheme

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._guard.addresses(Origin(self.schemes[host, port], host, port))
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    @override
    async def close(self) -> None:
        """Nothing is held here; the guard's resolver outlives the transport."""


class _Body(httpx.AsyncByteStream):
    """An answer's body. Closing it early closes the connection; either way the place is given back once."""

    def __init__(self, response: aiohttp.ClientResponse, places: asyncio.Semaphore) -> None:
        self._response = response
        self._places = places
        self._held = True

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (aiohttp.ClientError, OSError, RuntimeError) as error:  # RuntimeError: its session was closed
            self.give_up()
            raise _after_sending(error) from error
        except BaseException:
            self.give_up()
            raise
        self.give_up()

    @override
    async def aclose(self) -> None:
        self.give_up()

    def give_up(self) -> None:
        """Idempotent."""
        if self._held:
            self._held = False
            self._response.close()  # a complete answer has released its connection before
            self._places.release()


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Raises what `HttptoolsTransport` raises. Waits for places itself: aiohttp has one deadline for both."""

    def __init__(self, limits: TransportLimits, guard: EgressGuard, *, tls: TlsFiles = NO_FILES) -> None:
        self._limits = limits
        self._guard = guard
        self._tls = tls
        self._places = asyncio.Semaphore(limits.max_connections)
        self._resolver = _GuardedResolver(guard)
        self._session: aiohttp.ClientSession | None = None
        self._checked: set[Origin] = set()

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = Origin.of(request.url)
        self._check(origin)
        stream = request.stream
        body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()
        await self._take_place(origin)
        try:
            response = await self._send(request, body)
        except BaseException:
            self._places.release()
            raise
        return self._answer(request, response)

    @override
    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _check(self, origin: Origin) -> None:
        """aiohttp does not ask its resolver about an address in the URL; names it does ask about."""
        if origin in self._checked:
            return
        try:
            literal = ip_address(origin.host.partition("%")[0])
        except ValueError:
            self._resolver.schemes[origin.host, origin.port] = origin.scheme
        else:
            self._guard.check(origin, str(literal))
        self._checked.add(origin)

    async def _take_place(self, origin: Origin) -> None:
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(self._limits.pool_wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout(
                f"All {self._limits.max_connections} connections to {origin} stayed in use for "
                f"{self._limits.pool_wait_seconds:g} s."
            ) from None

    async def _send(self, request: httpx.Request, body: bytes) -> aiohttp.ClientResponse:
        headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in request.headers.raw if n.lower() not in _OURS]
        if "accept-encoding" not in request.headers:
            headers.append(("accept-encoding", "identity"))
        try:
            return await self._open_session().request(
                request.method,
                URL(str(request.url), encoded=True),
                data=body if len(body) < _BYTES_BODY_LIMIT else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
            )
        except httpx.TransportError:
            raise
        except aiohttp.ConnectionTimeoutError as error:
            raise httpx.ConnectTimeout(
                f"No connection to {request.url.host} within {self._limits.connect_seconds:g} s."
            ) from error
        except (aiohttp.ClientConnectorError, aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL) as error:
            raise httpx.ConnectError(f"No connection to {request.url.host}: {error}.") from error
        except ValueError as error:
            raise httpx.LocalProtocolError(f"The request cannot be sent: {error}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise _after_sending(error) from error

    def _answer(self, request: httpx.Request, response: aiohttp.ClientResponse) -> httpx.Response:
        headers = list(response.raw_headers)
        body = _Body(response, self._places)
        coding = content_encoding(headers)
        fault = self._fault(response.status, headers, coding)
        if fault:
            body.give_up()
            raise UnreadableAnswer(fault)
        if not coding:
            return httpx.Response(response.status, headers=headers, stream=body, request=request)
        return httpx.Response(
            response.status,
            headers=without_encoding(headers),
            stream=DecodedStream(body, coding, self._limits),
            request=request,
        )

    def _fault(self, status: int, headers: RawHeaders, coding: bytes) -> str:
        """What aiohttp lets through and we do not, empty for nothing."""
        if status == 101:
            return "The upstream switched to another protocol, which was not asked for."
        if sum(len(name) + len(value) + 4 for name, value in headers) > self._limits.max_header_bytes:
            return f"The upstream's answer has more than {self._limits.max_header_bytes} bytes of headers."
        if coding and not decodable(coding):
            name = coding[:40].decode("latin-1")
            return f"The upstream answered in the coding '{name}', which was not asked for."
        return ""

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = self._limits
            connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=limits.keepalive_seconds,
                resolver=self._resolver,
                use_dns_cache=False,
                ssl=client_context(self._tls),
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_seconds),
                max_field_size=limits.max_header_bytes,
                max_line_size=limits.max_header_bytes,
                max_headers=limits.max_headers,
                read_bufsize=limits.max_unread_bytes // 2,
                trust_env=False,
            )
        return self._session


def _after_sending(error: Exception) -> httpx.TransportError:
    if isinstance(error, aiohttp.ClientOSError | RuntimeError):
        return httpx.ReadError(f"The connection to the upstream was lost: {error}.")
    return httpx.RemoteProtocolError(f"The upstream's answer is cut or not valid HTTP/1.1: {error}.")
