"""One HTTP/1.1 connection under uvicorn's server, with the deadlines and caps uvicorn's own lacks (F4, F5, R-35).

Read against uvicorn 0.54: a silent connection, or one that trickles its request head, is open for ever there;
its parser takes heads of any size; what it cannot parse is answered as plain text; and an open stream takes 5 KiB
more. Of uvicorn's protocol this one keeps what its server relies on: the constructor, `shutdown`, and the two sets.
"""

import asyncio
import ipaddress
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from typing import ClassVar, cast
from urllib.parse import unquote

import httptools
from litestar.types import ASGIApp, HTTPScope
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.server import ServerState

from domain.errors import GatewayError, RequestInvalid, ServiceUnavailable
from entrypoints.http.edge.client_address import ClientAddress
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.cycle import CONNECTION_EXTENSION, Cycle, status_line
from entrypoints.http.errors import describe
from entrypoints.http.responses import JSON_SECURITY

_NEVER = float("inf")
_HIGH_WATER_BYTES = 64 * 1024  # of a body nobody has read yet: more is left in the socket
MAX_QUEUED = 8
"""Requests read ahead of the one being answered: no more, and no fewer, or a client that leaves would go unnoticed."""

_ASGI = {"version": "3.0", "spec_version": "2.3"}
_COMMON = (
    "Host Accept Authorization Content-Type Content-Length User-Agent Accept-Encoding Connection X-Api-Key Cookie "
    "Accept-Language X-Request-Id X-Forwarded-For X-Forwarded-Proto Transfer-Encoding"
).split()
_NAMES = {name.encode(): name.lower().encode() for name in (*_COMMON, *map(str.lower, _COMMON))}
"""Names that nearly every request has: one object for all of them."""


class GatewayProtocol(asyncio.Protocol):
    """One connection. Make a class for a server with `protocol_class`: the counts belong to that server.

    One timer keeps both clocks of a connection, that for a whole head and that for silence between requests: moving
    a deadline later costs an assignment, and the timer that fires too early sets itself again.
    """

    __slots__ = (
        "_address", "_app", "_client", "_cycle", "_due", "_expects_continue", "_head_bytes", "_head_ended", "_headers",
        "_in_head", "_parser", "_queue", "_reading_paused", "_server", "_serving", "_state", "_timer",
        "_unsent_bytes", "_url", "_waiters", "loop", "transport", "write_paused",
    )  # fmt: skip

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    exempt: ClassVar[ClientAddress] = ClientAddress(())
    open_by_address: ClassVar[Counter[str]] = Counter()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],  # noqa: ARG002 - uvicorn's call
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self._app = cast(ASGIApp, config.loaded_app)
        self._state = server_state
        self.loop = _loop or asyncio.get_running_loop()
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        # What follows a request that asked for the connection's end is no reason to refuse that request.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)  # until `connection_made`
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._address: str | None = None  # counted in `open_by_address`
        self._due = _NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0  # received since the last whole head
        self._in_head = True
        self._head_ended = False
        self._unsent_bytes = 0
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False
        self._cycle: Cycle | None = None  # the newest
        self._serving: Cycle | None = None
        self._queue: deque[Cycle] | None = None  # behind the one being served
        self._reading_paused = False
        self.write_paused = False
        self._waiters: list[asyncio.Future[None]] | None = None

    # For uvicorn's server.

    def shutdown(self) -> None:
        """The server stops: end now where nothing is being answered, else after it."""
        if self._cycle is None or self._cycle.complete:
            self.transport.close()
        else:
            self._cycle.keep_alive = False

    # For the loop.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._state.connections.add(self)  # type: ignore[arg-type]  # annotated with uvicorn's own protocols
        self.transport = cast(asyncio.Transport, transport)
        self._client = _host_and_port(transport.get_extra_info("peername"))
        self._server = _host_and_port(transport.get_extra_info("sockname"))
        refusal = self._admit()
        if refusal is not None:
            self._answer(refusal)
            return
        self._await(self.limits.header_seconds)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._address is not None:
            self.open_by_address[self._address] -= 1
            if not self.open_by_address[self._address]:
                del self.open_by_address[self._address]
            self._address = None
        if self._serving is not None:
            self._serving.disconnect()
        for cycle in self._queue or ():
            cycle.disconnect()
        self._cycle = self._serving = self._queue = None
        self.resume_writing()
        if exc is None:
            self.transport.close()
        self._parser = None  # it refers to this connection

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or self._parser is None:
            return
        self._head_ended = False
        if not self._in_head:
            self._due = _NEVER  # no silence
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # some clients try a WebSocket first and go on without
        except httptools.HttpParserError:
            self._answer(RequestInvalid("The request is not valid HTTP/1.1.", code="invalid_http"))
            return
        if not self._in_head:
            return
        if not self._head_ended:  # else it is not known how much of this belongs to the head begun since
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.max_header_bytes:
            self._answer(RequestInvalid("The request headers are too large.", code="headers_too_large"))
        elif self._due == _NEVER:
            self._await(self.limits.header_seconds)

    @override
    def pause_writing(self) -> None:
        self.write_paused = True

    @override
    def resume_writing(self) -> None:
        self.write_paused = False
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    # For the parser, inside `feed_data`.

    def on_message_begin(self) -> None:
        self._in_head = True
        self._url = b""
        self._headers = []
        self._expects_continue = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        known = _NAMES.get(name)
        if known is None:
            known = name.lower()
            if known == b"expect" and value.lower() == b"100-continue":
                self._expects_continue = True
        self._headers.append((known, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        if parser is None:
            return
        self._in_head = False
        self._head_ended = True
        self._head_bytes = 0
        self._due = _NEVER
        version = parser.get_http_version()
        cycle = Cycle(
            self,
            self._scope(parser.get_method().decode("ascii"), version),
            keep_alive=version != "1.0" and parser.should_keep_alive(),
            expects_continue=self._expects_continue,
        )
        cycle.scope["extensions"] = {CONNECTION_EXTENSION: cast("dict[object, object]", cycle)}
        before, self._cycle = self._cycle, cycle
        if before is None and self._timer is not None:  # of a connection's first request nothing is left to wait for
            self._timer.cancel()
            self._timer = None
        if before is None or before.complete:
            self._serve(cycle)
            return
        if self._queue is None:
            self._queue = deque()
        self._queue.append(cycle)
        if len(self._queue) >= MAX_QUEUED:
            self._pause_reading()

    def on_body(self, piece: bytes) -> None:
        cycle = self._cycle
        if cycle is not None and not cycle.complete and cycle.feed(piece) > _HIGH_WATER_BYTES:
            self._pause_reading()

    def on_message_complete(self) -> None:
        if self._cycle is not None and not self._cycle.complete:
            self._cycle.feed_end()

    # For the cycle.

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._state.default_headers

    async def drained(self) -> None:
        if self.write_paused:
            waiter = self.loop.create_future()
            self._waiters = [*(self._waiters or ()), waiter]
            await waiter

    def resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resume_reading()

    def answered(self, cycle: Cycle) -> None:
        """Serve the next request, or wait for one."""
        self._state.total_requests += 1
        if self.transport.is_closing():
            return
        self.resume_reading()
        if self._queue:
            self._serve(self._queue.popleft())
        elif cycle is self._cycle and not self._in_head:
            self._unsent_bytes = 0
            self._await(self.limits.keep_alive_seconds)

    def _scope(self, method: str, version: str) -> HTTPScope:
        url = self._url
        if url.startswith(b"/") and b"?" not in url and b"#" not in url:
            raw_path, query = url, b""
        else:
            parsed = httptools.parse_url(url)
            raw_path, query = parsed.path, parsed.query or b""
        path = raw_path.decode("ascii")
        scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": method,
            "scheme": "http",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._client,
            "server": self._server,
        }
        return cast(HTTPScope, scope)

    def _serve(self, cycle: Cycle) -> None:
        self._serving = cycle
        task = self.loop.create_task(cycle.run(self._app))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()

    def _admit(self) -> GatewayError | None:
        if len(self._state.connections) > self.limits.max_connections:
            return _full("The gateway has as many connections as it can hold; try again in a moment.")
        address = self._client[0] if self._client else ""
        if not address or _is_loopback(address) or self.exempt.trusts(address):
            return None
        self._address = address
        self.open_by_address[address] += 1
        if self.open_by_address[address] > self.limits.max_connections_per_address:
            return _full("Too many connections from this address; reuse them, or close some.")
        return None

    def _await(self, seconds: float) -> None:
        """A whole head, where one has begun or was never seen, else the next request: within so many seconds."""
        self._due = due = self.loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > due:
            if timer is not None:
                timer.cancel()
            self._timer = self.loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._due == _NEVER or self.transport.is_closing():
            return
        if self.loop.time() < self._due - 0.002:
            self._timer = self.loop.call_at(self._due, self._tick)
            return
        self._due = _NEVER
        if self._in_head and self._head_bytes:
            self._answer(RequestInvalid("The request headers did not arrive in time.", code="request_timeout"))
        else:
            self._drop_idle()

    def _drop_idle(self) -> None:
        """A client that still takes its answer may go on; one that stopped taking it is dropped."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent_bytes:
            self._unsent_bytes = unsent
            self._await(self.limits.keep_alive_seconds)
        elif unsent:
            self.transport.abort()
        else:
            self.transport.close()

    def _answer(self, error: GatewayError) -> None:
        """Answer in the contract's shape without the application, and close. Never into the midst of an answer."""
        if self.transport.is_closing():
            return
        cycle = self._cycle
        if cycle is not None and not cycle.complete:
            if not cycle.more_body:  # the fault is in what came after this request: answer that one, then close
                cycle.keep_alive = False
                return
            if cycle.started:
                self.transport.abort()
                return
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
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(status_line(answer.status) + lines + b"\r\n" + body)
        self.transport.close()


def protocol_class(limits: ConnectionLimits, trusted_proxies: Iterable[str] = ()) -> type[GatewayProtocol]:
    """The protocol for one server, for uvicorn's `http` setting."""
    fields = {
        "limits": limits,
        "exempt": ClientAddress(trusted_proxies),
        "open_by_address": Counter[str](),
        "__slots__": (),
    }
    return type("BoundedProtocol", (GatewayProtocol,), fields)


def _full(message: str) -> ServiceUnavailable:
    return ServiceUnavailable(message, code="overloaded", retry_after_seconds=1)


def _host_and_port(address: object) -> tuple[str, int] | None:
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
