"""One HTTP/1.1 connection to an upstream: bytes in and out, one response at a time.

Source: RFC 9112 (message framing, 6.3 body length, 9.3 persistence); llhttp by way of httptools parses.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import cast

import httptools
import httpx
from typing_extensions import override

from adapters.transport.limits import TransportLimits
from adapters.transport.response_stream import Line, ResponseStream

_PEEK_AFTER_SECONDS = 0.05  # idle shorter than this, the loop has just looked at the socket itself
_MIN_STALE_WINDOW_SECONDS = 0.005
_MAX_STALE_WINDOW_SECONDS = 0.5
_RESET_WINDOW_SECONDS = 1.0
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
        self._response: ResponseStream | None = None
        self._adopted = False
        self._write_paused = False
        self._stale_window_seconds = _stale_window(limits, round_trip_seconds)
        self._reset = False
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

    def start(self, head: bytes, body: bytes, *, is_head: bool) -> ResponseStream:
        """Send one request. The response's `answered` resolves with the answer's head, or fails."""
        response = ResponseStream(self, self._loop, is_head=is_head, started=time.perf_counter())
        transport = self._transport
        if transport is None or transport.is_closing():
            response.was_stale = True
            response.fail(httpx.ConnectError("The upstream closed the connection before the request was sent."))
            return response
        self._response = response
        if len(body) <= _ONE_WRITE_BYTES:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
        return response

    def close(self) -> None:
        """Discard it, and fail the response it carries."""
        response, self._response = self._response, None
        if response is not None:
            response.fail(httpx.ReadError("The gateway closed its connections to this upstream."))
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

    # Line: called by the response.

    @override
    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    @override
    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    @override
    def drop(self, response: ResponseStream) -> None:
        if self._response is response:
            self._response = None
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
        response = self._response
        if response is None:
            self.discard()  # bytes nobody asked for: whatever follows could be taken for the next answer
            return
        response.touched = True
        head_done = response.head_done
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._hand_over(response)
            self._break(f"The upstream's answer is not valid HTTP/1.1: {error}.")
            return
        if self._body or head_done != response.head_done:
            response.silent_bytes = 0
            self._hand_over(response)
        elif response is self._response:
            response.silent_bytes += len(data)
            if response.silent_bytes > self._limits.max_header_bytes:
                self._break_large_head()

    @override
    def eof_received(self) -> None:
        self._reset = self._was_reset()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        response, self._response = self._response, None
        self._transport = None
        if self._adopted:
            self._leave()
        if response is None:
            return
        if exc is None and response.head_done and response.to_end:
            response.finish()
            return
        response.was_stale = self._served > 0 and not response.touched and self._ended_unread(response, exc)
        response.fail(self._loss(response, exc))

    def _ended_unread(self, response: ResponseStream, exc: Exception | None) -> bool:
        """Whether the upstream had hung up before it could read the request: then it may be sent once more.

        An upstream may close an idle connection while a request is on its way. Bytes that meet a closed socket are
        answered with a reset, which no end of a request that was read brings (RFC 1122 4.2.2.13); a busy loop may see
        it late. A plain end reaches us within one round trip of the request. Whatever comes later may have been read.
        """
        seconds = time.perf_counter() - response.started
        if self._reset or isinstance(exc, ConnectionError) or self._was_reset():
            return seconds <= max(_RESET_WINDOW_SECONDS, self._stale_window_seconds)
        return seconds <= self._stale_window_seconds

    def _was_reset(self) -> bool:
        """Whether a reset came, be it behind an end: Linux keeps it as the socket's error."""
        try:
            return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        except OSError:  # closed on our side already
            return False

    def _hand_over(self, response: ResponseStream) -> None:
        """Give the response what has come of its body; what belongs to none is thrown away."""
        pieces = self._body
        if pieces:
            if response is self._response:
                response.add(pieces[0] if len(pieces) == 1 else b"".join(pieces), self._limits.max_unread_bytes)
            pieces.clear()

    def _loss(self, response: ResponseStream, cause: Exception | None) -> httpx.TransportError:
        if self._write_paused:
            return httpx.WriteError("The upstream closed the connection while the request was being sent.")
        when = "in the middle of its answer" if response.touched else "without an answer"
        if cause is None:
            return httpx.RemoteProtocolError(f"The upstream closed the connection {when}.")
        return httpx.ReadError(f"The connection to the upstream was lost {when}: {cause}.")

    def _break(self, message: str) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.fail(httpx.RemoteProtocolError(message))
        self.discard()

    def _break_large_head(self) -> None:
        limits = self._limits
        self._break(
            f"The upstream's answer has more than {limits.max_headers} headers or trailers, "
            f"or more than {limits.max_header_bytes} bytes of them or of anything else that is no body."
        )

    # Called by the parser, inside feed_data.

    def on_message_begin(self) -> None:
        if self._response is None:
            self.discard()

    def on_header(self, name: bytes, value: bytes) -> None:
        response = self._response
        if response is None:
            return
        if len(name) == 17 and name.lower() == b"transfer-encoding" and value.strip(b" \t").lower() != b"chunked":
            self._break("The upstream's answer has a transfer coding that was not asked for.")
            return
        if not response.head_done:  # else a trailer, which is counted and dropped
            response.headers.append((name, value.rstrip(b" \t")))
        response.header_count += 1
        response.header_bytes += len(name) + len(value) + 4
        if response.header_count > self._limits.max_headers or response.header_bytes > self._limits.max_header_bytes:
            self._break_large_head()

    def on_headers_complete(self) -> None:
        response = self._response
        if response is None:
            return
        status = response.status = self._parser.get_status_code()
        if status < 200:
            if status < 100:  # no announcement, so what follows would be taken for another answer's body
                self._break(f"The upstream answered with the status {status}, which there is not.")
            return
        response.keep_alive = self._parser.should_keep_alive()
        response.to_end = not response.keep_alive and status not in _BODILESS and _without_length(response.headers)
        response.head_arrived()
        response.header_count = response.header_bytes = 0  # trailers have as much room
        if response.is_head:
            self._response = None
            response.finish()
            self.discard()  # the parser cannot be told that no body follows

    def on_message_complete(self) -> None:
        response = self._response
        if response is None:
            return
        if response.status < 200:  # 100 and 103 announce the answer
            response.headers.clear()
            return
        self._hand_over(response)
        self._response = None
        response.finish()
        self._served += 1
        if response.keep_alive and not self._write_paused and self._transport is not None and not self.gone:
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
    """How long after writing an end without an answer means that the upstream had hung up before."""
    if limits.stale_window_seconds is not None:
        return limits.stale_window_seconds
    slack = round_trip_seconds * _ROUND_TRIP_SLACK
    return min(max(slack, _MIN_STALE_WINDOW_SECONDS), _MAX_STALE_WINDOW_SECONDS)
