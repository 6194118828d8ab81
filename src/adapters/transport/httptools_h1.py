"""The gateway's own HTTP/1.1 client: one asyncio protocol over httptools, plain and over TLS.

Chosen and bounded by docs/decisions/0010-upstream-transport.md.
"""

from collections.abc import Hashable

import httpx
from typing_extensions import override

from adapters.transport.decoding import DecodedStream, Inflater, content_encoding, decodable, without_encoding
from adapters.transport.direct import Answer, DirectTransport, RawHeaders
from adapters.transport.egress import EgressGuard
from adapters.transport.exchange import Exchange
from adapters.transport.head import header_block, request_line
from adapters.transport.limits import TransportLimits
from adapters.transport.origin import Origin
from adapters.transport.pool import Pool
from adapters.transport.tls import client_context

_KNOWN_TARGETS = 256
_KNOWN_BLOCKS = 32
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class _Target:
    """What is the same for every request to one URL with one method."""

    __slots__ = ("_announces_body", "_blocks", "_host_line", "_line", "is_head", "pool")

    def __init__(self, method: str, url: httpx.URL, origin: Origin, pool: Pool) -> None:
        self._line, self._host_line = request_line(method, url, origin)
        self._announces_body = method in _BODY_METHODS
        self._blocks: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}
        self.is_head = method == "HEAD"
        self.pool = pool

    def head(self, headers: httpx.Headers, body_bytes: int) -> bytes:
        """The whole head. The same few headers come again and again, a set for each key."""
        raw = tuple(headers.raw)
        block = self._blocks.get(raw)
        if block is None:
            if len(self._blocks) >= _KNOWN_BLOCKS:
                self._blocks.clear()
            block = self._blocks[raw] = self._line + header_block(self._host_line, raw)
        if body_bytes or self._announces_body:
            return b"%bcontent-length: %d\r\n\r\n" % (block, body_bytes)
        return block + b"\r\n"


class HttptoolsTransport(DirectTransport):
    """Follows no redirects, keeps no cookies, reads no environment.

    `ask` raises `httpx.ConnectError`, `ConnectTimeout` and `PoolTimeout` before anything was sent; `WriteError`,
    `ReadError` and `RemoteProtocolError` after. Cancelled or closed early, a call gives its connection up.
    """

    def __init__(self, limits: TransportLimits, guard: EgressGuard, *, ca_file: str | None = None) -> None:
        self._limits = limits
        self._guard = guard
        self._ca_file = ca_file
        self._pools: dict[Origin, Pool] = {}
        self._targets: dict[tuple[Hashable, str], _Target] = {}

    @override
    async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> Answer:
        target = self._targets.get((url._uri_reference, method)) or self._target(method, url)
        return self._answer(await self._exchange(target, target.head(headers, len(body)), body))

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

    def _answer(self, exchange: Exchange) -> Answer:
        headers, exchange.headers = exchange.headers, []
        coding = content_encoding(headers)
        if coding:
            return self._decoded_answer(headers, exchange, coding)
        if exchange.complete:
            return Answer(exchange.status, headers, body=exchange.body())
        return Answer(exchange.status, headers, stream=exchange)

    def _decoded_answer(self, headers: RawHeaders, exchange: Exchange, coding: bytes) -> Answer:
        if not decodable(coding):
            exchange.abandon()
            name = coding[:40].decode("latin-1")
            raise httpx.RemoteProtocolError(f"The upstream answered in the coding '{name}', which was not asked for.")
        headers = without_encoding(headers)
        if not exchange.complete:
            return Answer(exchange.status, headers, stream=DecodedStream(exchange, self._limits))
        inflater = Inflater(self._limits)
        body = inflater.feed(exchange.body())
        inflater.end()
        return Answer(exchange.status, headers, body=body)

    def _target(self, method: str, url: httpx.URL) -> _Target:
        origin = Origin.of(url)
        pool = self._pools.get(origin)
        if pool is None:
            context = client_context(self._ca_file) if origin.tls else None
            pool = self._pools[origin] = Pool(origin, self._limits, self._guard, context)
        target = _Target(method, url, origin, pool)
        if len(self._targets) >= _KNOWN_TARGETS:
            self._targets.clear()
        # httpx keeps the parsed URL as a plain tuple; str(url), its public key, costs as much as all the rest here
        self._targets[url._uri_reference, method] = target
        return target
