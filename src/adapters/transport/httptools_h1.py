"""The gateway's own HTTP/1.1 client: one asyncio protocol over httptools, plain and over TLS.

Chosen and bounded by docs/decisions/0010-upstream-transport.md.
"""

from collections.abc import Hashable

import httpx
from typing_extensions import override

from adapters.transport.decoding import (
    DecodedStream,
    Inflater,
    RawHeaders,
    content_encoding,
    decodable,
    without_encoding,
)
from adapters.transport.egress import EgressGuard
from adapters.transport.exchange import Exchange
from adapters.transport.head import header_block, request_line
from adapters.transport.limits import TransportLimits
from adapters.transport.origin import Origin
from adapters.transport.pool import Pool
from adapters.transport.tls import client_context

_KNOWN_TARGETS = 256
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class _Target:
    """What is the same for every request to one URL with one method."""

    __slots__ = ("announces_body", "host_line", "is_head", "line", "pool")

    def __init__(self, method: str, url: httpx.URL, origin: Origin, pool: Pool) -> None:
        self.line, self.host_line = request_line(method, url, origin)
        self.announces_body = method in _BODY_METHODS
        self.is_head = method == "HEAD"
        self.pool = pool


class HttptoolsTransport(httpx.AsyncBaseTransport):
    """Follows no redirects, keeps no cookies, reads no environment.

    `handle_async_request` raises `httpx.ConnectError`, `ConnectTimeout` and `PoolTimeout` before anything
    was sent; `WriteError`, `ReadError` and `RemoteProtocolError` after. An answer that was complete with
    its head has its body in `extensions["body"]`. Cancelled or closed early, a call gives its connection up.
    """

    def __init__(self, limits: TransportLimits, guard: EgressGuard, *, ca_file: str | None = None) -> None:
        self._limits = limits
        self._guard = guard
        self._ca_file = ca_file
        self._pools: dict[Origin, Pool] = {}
        self._targets: dict[tuple[Hashable, str], _Target] = {}

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        target = self._targets.get((request.url._uri_reference, request.method)) or self._target(request)
        stream = request.stream
        body = b"".join(stream) if isinstance(stream, httpx.ByteStream) else await request.aread()
        head = target.line + header_block(
            target.host_line, request.headers.raw, len(body), announces_body=target.announces_body
        )
        exchange = await self._exchange(target, head, body)
        return self._response(exchange)

    @override
    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def _exchange(self, target: _Target, head: bytes, body: bytes) -> Exchange:
        """Send on an idle or new connection; once more where the idle one had ended before it could be read."""
        pool = target.pool
        connection = pool.take_idle() or await pool.take()
        exchange = connection.start(head, body, is_head=target.is_head)
        try:
            await exchange.answered
        except httpx.TransportError:
            if not exchange.was_stale:
                raise
        except BaseException:
            exchange.abandon()
            raise
        else:
            return exchange
        pool.drop_idle()
        connection = await pool.take()
        exchange = connection.start(head, body, is_head=target.is_head)
        try:
            await exchange.answered
        except BaseException:
            exchange.abandon()
            raise
        return exchange

    def _response(self, exchange: Exchange) -> httpx.Response:
        """Without its request: whoever keeps a response open must not keep the body that was sent as well."""
        headers, exchange.headers = exchange.headers, []
        coding = content_encoding(headers)
        if coding:
            return self._encoded_response(headers, exchange, coding)
        if exchange.complete:
            body = exchange.body()
            return httpx.Response(
                exchange.status,
                headers=headers,
                stream=httpx.ByteStream(body),
                extensions={"body": body},
            )
        return httpx.Response(exchange.status, headers=headers, stream=exchange)

    def _encoded_response(self, headers: RawHeaders, exchange: Exchange, coding: bytes) -> httpx.Response:
        if not decodable(coding):
            exchange.abandon()
            name = coding[:40].decode("latin-1")
            raise httpx.RemoteProtocolError(f"The upstream answered in the coding '{name}', which was not asked for.")
        headers = without_encoding(headers)
        if not exchange.complete:
            return httpx.Response(exchange.status, headers=headers, stream=DecodedStream(exchange, self._limits))
        inflater = Inflater(self._limits)
        body = inflater.feed(exchange.body())
        inflater.end()
        return httpx.Response(
            exchange.status,
            headers=headers,
            stream=httpx.ByteStream(body),
            extensions={"body": body},
        )

    def _target(self, request: httpx.Request) -> _Target:
        origin = Origin.of(request.url)
        pool = self._pools.get(origin)
        if pool is None:
            context = client_context(self._ca_file) if origin.tls else None
            pool = self._pools[origin] = Pool(origin, self._limits, self._guard, context)
        target = _Target(request.method, request.url, origin, pool)
        if len(self._targets) >= _KNOWN_TARGETS:
            self._targets.clear()
        # httpx keeps the parsed URL as a plain tuple; str(url), its public key, costs as much as all the rest here
        self._targets[request.url._uri_reference, request.method] = target
        return target
