"""The gateway's own HTTP/1.1 client: one asyncio protocol over httptools, and a pool of them for each origin.

Chosen and bounded by docs/decisions/0010-upstream-transport.md.
"""

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Hashable

import httpx
from typing_extensions import override

from adapters.transport.connection import Connection
from adapters.transport.dial import dial
from adapters.transport.direct import DirectTransport
from adapters.transport.egress import EgressGuard, Origin
from adapters.transport.head import header_block, request_line
from adapters.transport.limits import TransportLimits
from adapters.transport.proxy import Proxies, Proxy
from adapters.transport.response_stream import (
    DecodedStream,
    RawHeaders,
    ResponseStream,
    UnreadableAnswer,
    UpstreamResponse,
    content_encoding,
    decodable,
    without_encoding,
)
from adapters.transport.tls import NO_FILES, TlsFiles, client_context

_LAST_LOOKS = 8
"""Rounds of the loop after a deadline: one that was held up learns only then what had come in time."""


class Pool:
    """Every open or opening connection holds one of `max_connections` places, and gives it back exactly once:
    when it is gone, or when opening failed or was cancelled. A freed place or connection goes to the oldest
    waiter first.
    """

    def __init__(
        self,
        origin: Origin,
        limits: TransportLimits,
        guard: EgressGuard,
        context: ssl.SSLContext | None,
        proxy: Proxy | None = None,
    ) -> None:
        self._origin = origin
        self._limits = limits
        self._guard = guard
        self._context = context
        self._proxy = proxy
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []  # the last is the youngest, and reused first
        self._live: set[Connection] = set()
        self._places_taken = 0
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._closed = False

    def take_idle(self) -> Connection | None:
        """An open, silent connection, if there is one."""
        idle = self._idle
        now = self._loop.time()
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                return connection
        return None

    async def take(self) -> Connection:
        """An idle connection, a new one, or the next to become free.

        Raises `httpx.PoolTimeout`, `httpx.ConnectTimeout` or `httpx.ConnectError`.
        """
        while True:
            if self._closed:
                raise httpx.ConnectError(f"The connections to {self._origin} are closed.")
            connection = self.take_idle()
            if connection is None and self._places_taken >= self._limits.max_connections:
                connection = await self._wait()
                if connection is None:  # a place was given instead
                    return await self._open()
                if not connection.usable(self._loop.time()):
                    continue
            if connection is not None:
                return connection
            self._places_taken += 1
            return await self._open()

    def drop_idle(self) -> None:
        """Close what is idle: one connection turned out stale, so the others are as old."""
        for connection in self._idle.copy():
            connection.discard()

    async def aclose(self) -> None:
        """Close every connection, those in use as well. Waiting requests fail."""
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)  # it takes a place, finds the pool closed, and says so
                self._places_taken += 1
        self._waiters.clear()
        for connection in self._live.copy():
            connection.close()
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next round

    async def _wait(self) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self._limits.pool_wait_seconds):
                return await waiter
        except TimeoutError:
            self._return(waiter)
            raise httpx.PoolTimeout(
                f"All {self._limits.max_connections} connections to {self._origin} stayed in use for "
                f"{self._limits.pool_wait_seconds:g} s."
            ) from None
        except asyncio.CancelledError:
            self._return(waiter)
            raise

    def _return(self, waiter: asyncio.Future[Connection | None]) -> None:
        """Pass on what a waiter was given in the same moment as it left."""
        if not waiter.done() or waiter.cancelled():
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            return
        given = waiter.result()
        if given is None:
            self._place_freed()
        elif not given.gone:
            self._freed(given)

    async def _open(self) -> Connection:
        """Open a connection in a place that is already taken."""
        try:
            connection = await self._connect()
        except BaseException:
            self._place_freed()
            raise
        self._live.add(connection)
        connection.adopt()
        if self._closed:
            connection.close()
        if connection.gone:
            raise httpx.ConnectError(f"The connection to {self._origin} was closed as soon as it was open.")
        return connection

    async def _connect(self) -> Connection:
        seconds = self._limits.connect_seconds
        opening = self._loop.create_task(self._connect_at_leisure())
        try:
            await asyncio.wait((opening,), timeout=seconds)
            for _ in range(_LAST_LOOKS):
                if opening.done():
                    return opening.result()
                await asyncio.sleep(0)
        except ssl.SSLError as error:
            raise httpx.ConnectError(f"No secure connection to {self._origin}: {error}.") from error
        except OSError as error:
            raise httpx.ConnectError(f"No connection to {self._origin}: {error}.") from error
        except asyncio.CancelledError:
            _call_off(opening)
            raise
        _call_off(opening)
        through = f" through the proxy {self._proxy.name}" if self._proxy is not None else ""
        raise httpx.ConnectTimeout(f"No connection to {self._origin}{through} within {seconds:g} s.")

    async def _connect_at_leisure(self) -> Connection:
        if self._closed:
            raise httpx.ConnectError(f"The connections to {self._origin} are closed.")
        origin = self._origin
        proxy = self._proxy
        if proxy is None:
            addresses = await self._guard.addresses(origin)
            started = time.perf_counter()  # the loop's own clock has milliseconds
            connected = await dial(addresses, origin.port)
            round_trip_seconds = time.perf_counter() - started
        else:
            connected = await self._through(proxy)
            round_trip_seconds = 0.0  # unknown: only the proxy's is seen
        connection = Connection(self._limits, self._freed, self._gone, connected, round_trip_seconds)
        try:
            await self._loop.create_connection(
                lambda: connection,
                sock=connected,
                ssl=self._context,
                server_hostname=origin.host.rstrip(".") if self._context is not None else None,
                ssl_handshake_timeout=self._limits.connect_seconds + 1 if self._context is not None else None,
            )
        except BaseException:
            connection.discard()
            raise
        return connection

    def _freed(self, connection: Connection) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._idle.append(connection)
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_later(self._limits.keepalive_seconds, self._sweep)

    def _gone(self, connection: Connection) -> None:
        if connection in self._live:
            self._live.remove(connection)
            self._place_freed()
        if connection in self._idle:
            self._idle.remove(connection)

    async def _through(self, proxy: Proxy) -> socket.socket:
        """A socket that leads to the origin. Raises `httpx.ProxyError` or `EgressRefused`."""
        addresses = await proxy.addresses(self._origin, self._guard)
        try:
            connected = await dial(addresses, proxy.origin.port)
        except OSError as error:
            raise httpx.ProxyError(f"The proxy {proxy.name} cannot be reached: {error}.") from error
        try:
            await proxy.tunnel(connected, self._origin)
        except BaseException:
            connected.close()
            raise
        return connected

    def _place_freed(self) -> None:
        self._places_taken -= 1
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._places_taken += 1
                waiter.set_result(None)
                return

    def _sweep(self) -> None:
        """Close what was idle for too long, also when nobody asks."""
        self._sweep_timer = None
        now = self._loop.time()
        for connection in self._idle.copy():
            connection.usable(now)
        if self._idle:
            self._sweep_timer = self._loop.call_later(self._limits.keepalive_seconds, self._sweep)


def _call_off(opening: asyncio.Task[Connection]) -> None:
    """Nobody waits for this connection any more; if it comes all the same, it is closed."""
    opening.cancel()
    opening.add_done_callback(_discard_late)


def _discard_late(opening: asyncio.Task[Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().discard()


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

    def __init__(
        self,
        limits: TransportLimits,
        guard: EgressGuard,
        *,
        tls: TlsFiles = NO_FILES,
        proxies: Proxies | None = None,
    ) -> None:
        self._limits = limits
        self._guard = guard
        self._tls = tls
        self._proxies = proxies
        self._pools: dict[Origin, Pool] = {}
        self._targets: dict[tuple[Hashable, str], _Target] = {}

    @override
    async def ask(self, method: str, url: httpx.URL, headers: httpx.Headers, body: bytes) -> UpstreamResponse:
        target = self._targets.get((url._uri_reference, method)) or self._target(method, url)
        return self._answer(await self._round_trip(target, target.head(headers, len(body)), body))

    @override
    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def _round_trip(self, target: _Target, head: bytes, body: bytes) -> ResponseStream:
        """Send on an idle or new connection; once more where the idle one had ended before it could be read."""
        pool = target.pool
        connection = pool.take_idle() or await pool.take()
        response = connection.start(head, body, is_head=target.is_head)
        try:
            await response.answered
        except httpx.TransportError:
            if not response.was_stale:
                raise
        except BaseException:
            response.abandon()
            raise
        else:
            return response
        pool.drop_idle()
        connection = await pool.take()
        response = connection.start(head, body, is_head=target.is_head)
        try:
            await response.answered
        except BaseException:
            response.abandon()
            raise
        return response

    def _answer(self, response: ResponseStream) -> UpstreamResponse:
        headers, response.headers = response.headers, []
        coding = content_encoding(headers)
        if coding:
            return self._decoded_answer(headers, response, coding)
        if response.complete:
            return UpstreamResponse(response.status, headers, body=response.body())
        return UpstreamResponse(response.status, headers, stream=response)

    def _decoded_answer(self, headers: RawHeaders, response: ResponseStream, coding: bytes) -> UpstreamResponse:
        if not decodable(coding):
            response.abandon()
            name = coding[:40].decode("latin-1")
            raise UnreadableAnswer(f"The upstream answered in the coding '{name}', which was not asked for.")
        headers = without_encoding(headers)
        return UpstreamResponse(response.status, headers, stream=DecodedStream(response, coding, self._limits))

    def _target(self, method: str, url: httpx.URL) -> _Target:
        origin = Origin.of(url)
        pool = self._pools.get(origin)
        if pool is None:
            context = client_context(self._tls) if origin.tls else None
            proxy = self._proxies.to(origin) if self._proxies is not None else None
            pool = self._pools[origin] = Pool(origin, self._limits, self._guard, context, proxy)
        target = _Target(method, url, origin, pool)
        if len(self._targets) >= _KNOWN_TARGETS:
            self._targets.clear()
        # httpx keeps the parsed URL as a plain tuple; str(url), its public key, costs as much as all the rest here
        self._targets[url._uri_reference, method] = target
        return target
