"""One HTTP/1.1 connection to an upstream: bytes in and out, one exchange at a time.

Source: RFC 9112 (message framing, 6.3 body length, 9.3 persistence); llhttp by way of httptools parses.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import httptools
import httpx
from typing_extensions import override

from adapters.transport.exchange import Exchange, Line
from adapters.transport.limits import TransportLimits

_PEEK_AFTER_SECONDS = 0.05  # idle shorter than this, the loop has just looked at the socket itself
_MAX_STALE_WINDOW_SECONDS = 0.5
_ROUND_TRIP_SLACK = 1.5
_ONE_WRITE_BYTES = 64 * 1024  # smaller bodies are joined to the head: one system call, one segment
_BODILESS = frozenset({204, 304})


class Connection(asyncio.Protocol, Line):
    """Reports to its pool through two callbacks: `on_free` (may carry another request) and `on_gone` (never again).

    After `on_gone` nothing of it is used. It is gone at once when dropped, before the socket is closed.
    """

    def __init__(
        self,
        limits: TransportLimits,
        on_free: Callable[["Connection"], None],
        on_gone: Callable[["Connection"], None],
        connected: socket.socket,
        round_trip_seconds: float,
    ) -> None:
        self._limits = limits
        self._on_free = on_free
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._body: list[bytes] = []  # come in the bytes being parsed; empty between two calls of the parser
        self.on_body = self._body.append  # called once a chunk: a function of ours would cost more than all the rest
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._socket = connected  # looked at before a reuse, never read
        self._exchange: Exchange | None = None
        self._adopted = False
        self._write_paused = False
        self._stale_window_seconds = _stale_window(limits, round_trip_seconds)
        self._served = 0
        self.gone = False
        self.born = self.idle_since = self._loop.time()

    def adopt(self) -> None:
        """The pool counts it from here; before, its end is told by the exception of opening it."""
        self._adopted = True
        if self._transport is None:
            self._leave()

    def usable(self, now: float) -> bool:
        """Whether a request may be written to it now; drops it if not."""
        if self.gone:
            return False
        idle_seconds = now - self.idle_since
        if (
            idle_seconds <= self._limits.keepalive_seconds
            and now - self.born <= self._limits.connection_max_age_seconds
            and (idle_seconds < _PEEK_AFTER_SECONDS or self._silent())
        ):
            return True
        self.discard()
        return False

    def start(self, head: bytes, body: bytes, *, is_head: bool) -> Exchange:
        """Send one request. The exchange's `answered` resolves with the answer's head, or fails."""
        exchange = Exchange(self, self._loop, is_head=is_head, started=self._loop.time())
        transport = self._transport
        if transport is None or transport.is_closing():
            exchange.was_stale = True
            exchange.fail(httpx.ConnectError("The upstream closed the connection before the request was sent."))
            return exchange
        self._exchange = exchange
        if len(body) <= _ONE_WRITE_BYTES:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
        return exchange

    def close(self) -> None:
        """Discard it, and fail the exchange it carries."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.fail(httpx.ReadError("The gateway closed its connections to this upstream."))
        self.discard()

    def discard(self) -> None:
        """Close at once, without a word to the other side. Idempotent."""
        if self._transport is not None:
            self._transport.abort()
        self._leave()

    def _silent(self) -> bool:
        """True if nothing waits in the socket: neither an end nor bytes nobody asked for."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _leave(self) -> None:
        if not self.gone:
            self.gone = True
            self._on_gone(self)

    # Line: called by the exchange.

    @override
    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    @override
    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    @override
    def drop(self, exchange: Exchange) -> None:
        if self._exchange is exchange:
            self._exchange = None
            self.discard()

    # asyncio.Protocol: called by the loop.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @override
    def pause_writing(self) -> None:
        self._write_paused = True

    @override
    def resume_writing(self) -> None:
        self._write_paused = False

    @override
    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.discard()  # bytes nobody asked for: whatever follows could be taken for the next answer
            return
        exchange.touched = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._hand_over(exchange)
            self._break(f"The upstream's answer is not valid HTTP/1.1: {error}.")
            return
        self._hand_over(exchange)
        if not exchange.head_done and exchange is self._exchange:
            exchange.head_bytes += len(data)
            if exchange.head_bytes > self._limits.max_header_bytes:
                self._break_large_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        exchange, self._exchange = self._exchange, None
        self._transport = None
        if self._adopted:
            self._leave()
        if exchange is None:
            return
        if exc is None and exchange.head_done and exchange.to_end:
            exchange.finish()
            return
        exchange.was_stale = (
            self._served > 0
            and not exchange.touched
            and self._loop.time() - exchange.started <= self._stale_window_seconds
        )
        exchange.fail(self._loss(exchange, exc))

    def _hand_over(self, exchange: Exchange) -> None:
        """Give the exchange what has come of its body; what belongs to none is thrown away."""
        pieces = self._body
        if pieces:
            if exchange is self._exchange:
                exchange.add(pieces[0] if len(pieces) == 1 else b"".join(pieces), self._limits.max_unread_bytes)
            pieces.clear()

    def _loss(self, exchange: Exchange, cause: Exception | None) -> httpx.TransportError:
        if self._write_paused:
            return httpx.WriteError("The upstream closed the connection while the request was being sent.")
        when = "in the middle of its answer" if exchange.touched else "without an answer"
        if cause is None:
            return httpx.RemoteProtocolError(f"The upstream closed the connection {when}.")
        return httpx.ReadError(f"The connection to the upstream was lost {when}: {cause}.")

    def _break(self, message: str) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.fail(httpx.RemoteProtocolError(message))
        self.discard()

    def _break_large_head(self) -> None:
        limits = self._limits
        self._break(
            f"The upstream's answer has more than {limits.max_headers} headers "
            f"or {limits.max_header_bytes} bytes of them."
        )

    # Called by the parser, inside feed_data.

    def on_message_begin(self) -> None:
        if self._exchange is None:
            self.discard()

    def on_header(self, name: bytes, value: bytes) -> None:
        exchange = self._exchange
        if exchange is None or exchange.head_done:  # trailers are not used
            return
        exchange.headers.append((name, value))
        exchange.head_bytes += len(name) + len(value) + 4
        if len(exchange.headers) > self._limits.max_headers or exchange.head_bytes > self._limits.max_header_bytes:
            self._break_large_head()

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        status = exchange.status = self._parser.get_status_code()
        if status < 200:
            return
        exchange.keep_alive = self._parser.should_keep_alive()
        exchange.to_end = not exchange.keep_alive and status not in _BODILESS and _without_length(exchange.headers)
        exchange.head_arrived()
        if exchange.is_head:
            self._exchange = None
            exchange.finish()
            self.discard()  # the parser cannot be told that no body follows

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if exchange.status < 200:  # 100 and 103 announce the answer
            exchange.headers.clear()
            return
        self._hand_over(exchange)
        self._exchange = None
        exchange.finish()
        self._served += 1
        if exchange.keep_alive and not self._write_paused and self._transport is not None and not self.gone:
            self.idle_since = self._loop.time()
            self._on_free(self)
        else:
            self.discard()


def _without_length(headers: list[tuple[bytes, bytes]]) -> bool:
    return not any(
        (len(name) == 14 and name.lower() == b"content-length")
        or (len(name) == 17 and name.lower() == b"transfer-encoding")
        for name, _ in headers
    )


def _stale_window(limits: TransportLimits, round_trip_seconds: float) -> float:
    """How long after writing an end without an answer means that the upstream had hung up before.

    It may close an idle connection while our request is on its way. That close, or the reset our bytes
    provoke, reaches us within one round trip; after it the upstream may have read the request, and the
    request is never sent a second time.
    """
    if limits.stale_window_seconds is not None:
        return limits.stale_window_seconds
    return min(round_trip_seconds * _ROUND_TRIP_SLACK, _MAX_STALE_WINDOW_SECONDS)
