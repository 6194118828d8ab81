"""One request and its answer on a connection, as an ASGI application sees them.

Leaner than uvicorn's own: the head of an answer leaves with its first body in one write (which the ASGI specification
asks for anyway), nothing is made before it is needed, and whoever must know that the client left registers a callback
instead of keeping a task in `receive`.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message
from typing_extensions import override

from domain.errors import GatewayError
from entrypoints.http.edge.request_parser import RequestHead
from entrypoints.http.errors import describe
from entrypoints.http.responses import JSON_SECURITY

log = logging.getLogger(__name__)

Headers = list[tuple[bytes, bytes]]

_LAST_CHUNK = b"0\r\n\r\n"
_JOINED_BYTES = 64 * 1024  # a head is copied to a body up to this size
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t")
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_BODILESS = frozenset({204, 304})
_WORTH_READING_BYTES = 64 * 1024  # of a body that was answered early, to keep its connection


def status_line(status: int) -> bytes:
    """The first line of an answer."""
    known = _STATUS_LINES.get(status)
    return known if known is not None else b"HTTP/1.1 %d \r\n" % status


_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


_ASGI = {"version": "3.0", "spec_version": "2.3"}


def bare_answer(error: GatewayError) -> bytes:
    """A whole answer in the contract's shape without the application; it ends the connection."""
    answer = describe(error)
    request_id = f"req_{uuid.uuid4().hex}"
    body = answer.body(request_id)
    headers: Iterable[tuple[bytes, bytes]] = (
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        (b"x-request-id", request_id.encode()),
        *JSON_SECURITY,
        *answer.headers,
    )
    return status_line(answer.status) + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body


def scope_of(head: RequestHead, client: tuple[str, int] | None, server: tuple[str, int] | None) -> HTTPScope:
    """A request as ASGI describes it."""
    raw_path, _, query = head.target.partition(b"?")
    if not raw_path.startswith(b"/"):  # a whole URL, or the `*` of OPTIONS
        raw_path = b"/" + raw_path.split(b"/", 3)[3] if raw_path.count(b"/") > 2 else b"/"
    path = raw_path.decode("ascii")
    return {  # type: ignore[typeddict-item]  # what is left out of it, ASGI lets be absent
        "type": "http",
        "asgi": _ASGI,
        "http_version": head.version,
        "method": head.method,
        "scheme": "http",
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": head.headers,
        "client": client,
        "server": server,
    }


CONNECTION_EXTENSION = "omg.connection"
"""Where the scope has the `ClientConnection`, under `extensions`."""


class ClientConnection(Protocol):
    """What our own server can do for an exchange beyond ASGI."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop the connection belongs to: asking asyncio for the running one is a system call."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...

    def watch(self, on_gone: Callable[[], None] | None) -> None:
        """Call `on_gone` once should the client leave before the answer is complete; None ends that."""
        ...

    def whole_body(self) -> bytes | None:
        """The request's body, to be taken once, where all of it has arrived; else nothing is taken."""
        ...


class Line(Protocol):
    """What a cycle needs of the connection it goes over."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    write_paused: bool

    @property
    def default_headers(self) -> Headers: ...

    async def drained(self) -> None:
        """Wait until the client has taken enough to be written to again, or has left."""
        ...

    def resume_reading(self) -> None: ...

    @property
    def unread_bytes(self) -> int | None:
        """What is still to come of the body of the request being answered; None where only its end will tell."""
        ...

    def answered(self, cycle: "Cycle") -> None:
        """The answer is written in full: go on to the next request, or end the connection."""
        ...

    def left_unanswered(self) -> None:
        """The application ended without its whole answer: so must the connection."""
        ...


class Cycle(ClientConnection):
    """Made by the connection when a request's head has arrived; fed by it with the body and with its own end."""

    __slots__ = (
        "_body", "_chunked", "_expects_continue", "_fresh", "_head", "_left", "_line", "_on_gone", "_waiter",
        "complete", "disconnected", "keep_alive", "more_body", "scope", "started",
    )  # fmt: skip

    def __init__(self, line: Line, scope: HTTPScope, *, keep_alive: bool, expects_continue: bool) -> None:
        self._line = line
        self.scope = scope
        self.keep_alive = keep_alive
        self._expects_continue = expects_continue
        self._body = b""
        self._fresh = False  # something `receive` has not told yet
        self._waiter: asyncio.Future[None] | None = None
        self._on_gone: Callable[[], None] | None = None
        self._head = b""  # of the answer, until its first body
        self._chunked = False
        self._left = 0  # bytes of a sized answer still to come
        self.more_body = True
        self.disconnected = False
        self.started = False
        self.complete = False

    async def run(self, app: ASGIApp) -> None:
        """Let the application serve the request. What it leaves unanswered ends the connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            log.exception("the application raised instead of answering")
        finally:
            self.scope["extensions"] = None  # they refer to this object: nothing is left for the collector
            if not self.complete and not self.disconnected:
                self._line.left_unanswered()

    # For the application.

    @property
    @override
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._line.loop

    async def receive(self) -> HTTPReceiveMessage:
        """ASGI's `receive`."""
        line = self._line
        if self._expects_continue and not self.started and not self._over:
            line.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._expects_continue = False
        if not self._over:
            line.resume_reading()
            if not self._fresh:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
                self._waiter = None
            self._fresh = False
        if self._over:
            return {"type": "http.disconnect"}
        body, self._body = self._body, b""
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        """ASGI's `send`."""
        if self._line.write_paused and not self.disconnected:
            await self._line.drained()
        if self.disconnected:
            return
        if message["type"] == "http.response.body" and self.started and not self.complete:
            self._send_body(message.get("body", b""), more=message.get("more_body", False))
        elif message["type"] == "http.response.start" and not self.started:
            self.started = True
            self._head = self._head_of(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"The application sent '{message['type']}' where it may not.")

    @override
    def watch(self, on_gone: Callable[[], None] | None) -> None:
        self._on_gone = on_gone
        if self.disconnected:
            asyncio.get_running_loop().call_soon(self._tell_gone)
        elif on_gone is not None:
            self._line.resume_reading()  # or its leaving would go unnoticed

    @override
    def whole_body(self) -> bytes | None:
        if self.more_body or self._over or not self._fresh:
            return None
        self._fresh = False
        body, self._body = self._body, b""
        return body

    @override
    def abort(self) -> None:
        self._line.transport.abort()

    # For the connection.

    def feed(self, piece: bytes) -> int:
        """A piece of the body has arrived; returns how much waits to be read."""
        self._body = self._body + piece if self._body else piece
        self._expects_continue = False  # RFC 9110 10.1.1: it is needless once some of the body has come
        self._wake()
        return len(self._body)

    def feed_end(self) -> None:
        self.more_body = False
        self._wake()

    def disconnect(self) -> None:
        """The connection is gone."""
        if not self.complete:
            self.disconnected = True
            self._tell_gone()
        self._wake()

    @property
    def _over(self) -> bool:
        return self.disconnected or self.complete

    def _tell_gone(self) -> None:
        on_gone, self._on_gone = self._on_gone, None
        if on_gone is not None:
            on_gone()

    def _wake(self) -> None:
        self._fresh = True
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _head_of(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Names are lower-case (ASGI). Raises `RuntimeError` for a header that would break out of its line."""
        every = [*self._line.default_headers, *headers]
        framed = closes = False
        for name, value in [header for header in every if header[0] in _FRAMING]:
            if name == b"content-length":
                self._left = int(value)
                framed = True
            elif name == b"transfer-encoding":
                self._chunked = framed = True
            elif b"close" in value.lower():
                self.keep_alive, closes = False, True
        if self.more_body and not self._may_follow(status):
            self.keep_alive = False
        block = status_line(status) + b"\r\n".join([b": ".join(header) for header in every]) + b"\r\n"
        if len(block) - len(block.translate(None, _CONTROLS)) != 2 * (len(every) + 1):
            raise RuntimeError("A header of the answer holds a control character.")
        if not self.keep_alive and not closes:
            block += b"connection: close\r\n"
        if self.scope["method"] == "HEAD" or status in _BODILESS:
            self._left, self._chunked = 0, False
        elif not framed:
            self._chunked = True
            block += b"transfer-encoding: chunked\r\n"
        return block + b"\r\n"

    def _may_follow(self, status: int) -> bool:
        """Whether another request may follow this one, whose body is answered before its end.

        Not where the client may leave the body out (it waits for a 100 that never comes), nor where the body was
        late or is more than should be read only to be thrown away (S-31).
        """
        left = self._line.unread_bytes
        return not self._expects_continue and status != 408 and left is not None and left <= _WORTH_READING_BYTES

    def _send_body(self, body: bytes, *, more: bool) -> None:
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if not more:
                data += _LAST_CHUNK
        elif self.scope["method"] == "HEAD":
            data = b""
        else:
            data = body
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("The application's answer is not as long as it said.")
        head, self._head = self._head, b""
        transport = self._line.transport
        if head and len(data) <= _JOINED_BYTES:
            data = head + data
        elif head:
            transport.write(head)
        if data:
            transport.write(data)
        if not more:
            self.complete = True
            self._wake()
            self._line.answered(self)
