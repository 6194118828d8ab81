"""uvicorn's HTTP/1.1 protocol with the deadlines and caps it lacks (F4, F5, R-35).

Read against uvicorn 0.54: a silent connection, or one that trickles its request head, is open for ever there;
its parser takes heads of any size; and what it cannot parse is answered as plain text.
"""

import asyncio
import ipaddress
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, cast

from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from domain.errors import GatewayError, RequestInvalid, ServiceUnavailable
from entrypoints.http.edge.client_address import ClientAddress
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.exchange import ABORT_EXTENSION
from entrypoints.http.errors import describe
from entrypoints.http.responses import JSON_SECURITY


class GatewayProtocol(HttpToolsProtocol):
    """One connection. Make a class for a server with `protocol_class`: the counts belong to that server."""

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    exempt: ClassVar[ClientAddress] = ClientAddress(())
    open_by_address: ClassVar[Counter[str]] = Counter()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.timeout_keep_alive = int(self.limits.keep_alive_seconds)
        self._address: str | None = None  # counted in `open_by_address`
        self._head_deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0  # received since the last whole head
        self._in_head = True
        self._head_ended = False
        self._unsent_bytes = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        refusal = self._admit()
        if refusal is not None:
            self._answer(refusal)
            return
        self._await_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        if self._address is not None:
            self.open_by_address[self._address] -= 1
            if not self.open_by_address[self._address]:
                del self.open_by_address[self._address]
            self._address = None
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_ended = False
        super().data_received(data)
        if not self._in_head or self.parser is None:
            return
        if not self._head_ended:  # else it is not known how much of this belongs to the head begun since
            self._head_bytes += len(data)
        if self._head_bytes > self.limits.max_header_bytes:
            self._answer(RequestInvalid("The request headers are too large.", code="headers_too_large"))
        elif self._head_deadline is None:
            self._await_head()

    @override
    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()
        self.scope["extensions"] = {ABORT_EXTENSION: cast(dict[object, object], self.transport.abort)}

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_ended = True
        self._head_bytes = 0
        self._head_arrived()
        super().on_headers_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        self._answer(RequestInvalid("The request is not valid HTTP/1.1.", code="invalid_http"))

    @override
    def timeout_keep_alive_handler(self) -> None:
        """A client that still takes its answer may go on; one that stopped taking it is dropped."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent_bytes:
            self._unsent_bytes = unsent
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif unsent:
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    @override
    def _unsupported_upgrade_warning(self) -> None:
        """Some clients try a WebSocket first and go on without; that is no news."""

    def _admit(self) -> GatewayError | None:
        if len(self.connections) > self.limits.max_connections:
            return _full("The gateway has as many connections as it can hold; try again in a moment.")
        address = self.client[0] if self.client else ""
        if not address or _is_loopback(address) or self.exempt.trusts(address):
            return None
        self._address = address
        self.open_by_address[address] += 1
        if self.open_by_address[address] > self.limits.max_connections_per_address:
            return _full("Too many connections from this address; reuse them, or close some.")
        return None

    def _await_head(self) -> None:
        self._head_deadline = self.loop.call_later(self.limits.header_seconds, self._head_too_late)

    def _head_arrived(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _head_too_late(self) -> None:
        self._head_deadline = None
        if self._head_bytes:
            self._answer(RequestInvalid("The request headers did not arrive in time.", code="request_timeout"))
        else:
            self.transport.close()

    def _answer(self, error: GatewayError) -> None:
        """Answer in the contract's shape without the application, and close. Never into the midst of an answer."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn's annotation leaves the None out
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:  # the fault is in what came after this request: answer that one, then close
                cycle.keep_alive = False
                return
            if cycle.response_started:
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
        self.transport.write(STATUS_LINE[answer.status] + lines + b"\r\n" + body)
        self.transport.close()


def protocol_class(limits: ConnectionLimits, trusted_proxies: Iterable[str] = ()) -> type[GatewayProtocol]:
    """The protocol for one server, for uvicorn's `http` setting."""
    fields = {"limits": limits, "exempt": ClientAddress(trusted_proxies), "open_by_address": Counter[str]()}
    return type("BoundedProtocol", (GatewayProtocol,), fields)


def _full(message: str) -> ServiceUnavailable:
    return ServiceUnavailable(message, code="overloaded", retry_after_seconds=1)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
