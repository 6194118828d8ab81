"""One HTTP/1.1 connection under uvicorn's server, with the deadlines and bounds uvicorn's own lacks (F4, R-35, S-40).

A connection serves one request at a time. Whatever comes behind a request is held, unread, until its answer is
complete, so a fault in it can reach neither that answer nor its request; past 64 KiB it stays in the socket. In every
state but ANSWERING, whose time is the application's to bound, a deadline runs:

| state | it waits for | deadline | then |
| --- | --- | --- | --- |
| IDLE | a first byte | `keep_alive_seconds`; `header_seconds` on a new connection | closes |
| HEAD | a whole head | `header_seconds`, absolute | answers 408, lingers |
| ANSWERING | the body, the answer | the application's | see `answered` |
| DISCARDING | the rest of a small body whose answer is complete | `keep_alive_seconds`, absolute | closes |
| LINGERING | the client's end of a connection that we ended | `linger_seconds`, `linger_silence_seconds` | closes |

| event | IDLE, HEAD | ANSWERING | DISCARDING | LINGERING |
| --- | --- | --- | --- | --- |
| bytes | HEAD, then ANSWERING | body to the application, the rest held | dropped, then IDLE | dropped |
| a fault in them | 400 or 431 [1], LINGERING | 400 in place of the answer [2], LINGERING | LINGERING | - |
| answer complete | - | IDLE, or DISCARDING before the body's end [3] | - | - |
| deadline | above | - | above | above |
| the client's end | closed | the application learns of it, closed | closed | closed |
| `shutdown` | closed | the connection ends with this answer | LINGERING | its deadline comes soon |

[1] Unsaid where the bytes came before the request ahead of them was answered. [2] Where that has begun, it is cut off.
[3] LINGERING or closed where no request may follow.

Lingering (RFC 9112 9.6): a socket closed while bytes are still coming is reset, and the reset takes the answer along.
So our side is ended alone, and what comes is read and dropped for a while.

Of uvicorn's protocol this one keeps what its server (0.54) relies on: the constructor, `shutdown`, and the two sets.
"""

import asyncio
import enum
from collections.abc import Iterable
from typing import ClassVar, Final, cast

from litestar.types import ASGIApp
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.server import ServerState

from domain.errors import GatewayError, RequestInvalid
from entrypoints.http.edge.config import ConnectionLimits
from entrypoints.http.edge.connection_counts import ConnectionCounts
from entrypoints.http.edge.cycle import CONNECTION_EXTENSION, Cycle, bare_answer, scope_of
from entrypoints.http.edge.head import ClientAddress
from entrypoints.http.edge.request_parser import RequestHead, RequestParser

_NEVER: Final = float("inf")
_HIGH_WATER_BYTES: Final = 64 * 1024  # of what nobody has read yet, be it body or another request
_CHUNKS_A_TURN: Final = 2000  # of a body in tiny chunks: then the other connections have their turn
_LINGERING_SHARE: Final = 1.1  # of `max_connections`: past it, those refused are closed at once
_SHORT_LINGER_SECONDS: Final = 0.5  # where many come, or the process ends


class Stage(enum.Enum):
    """The states of the table above."""

    IDLE = enum.auto()
    HEAD = enum.auto()
    ANSWERING = enum.auto()
    DISCARDING = enum.auto()
    LINGERING = enum.auto()


class GatewayProtocol(asyncio.Protocol):
    """One connection. Make a class for a server with `protocol_class`: the counts belong to that server.

    One timer keeps every deadline: moving one later costs an assignment, and the timer that fires too early sets
    itself again.
    """

    __slots__ = (
        "_address", "_app", "_behind", "_breathing", "_client", "_cycle", "_dropped_bytes", "_due", "_linger_due",
        "_parser", "_reading_paused", "_served", "_server", "_state", "_timer", "_unsent_bytes", "_waiters", "loop",
        "stage", "transport", "write_paused",
    )  # fmt: skip

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    counts: ClassVar[ConnectionCounts] = ConnectionCounts(limits, ClientAddress(()))

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
        self._parser = RequestParser(self, self.limits.max_header_bytes)
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)  # until `connection_made`
        self.stage = Stage.IDLE
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._address: str | None = None  # where it is counted
        self._due = _NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._linger_due = _NEVER
        self._unsent_bytes = 0
        self._dropped_bytes = 0
        self._served = False  # a request of this connection has been read
        self._behind = False  # the bytes of this head came before its predecessor was answered
        self._cycle: Cycle | None = None  # the request being answered
        self._reading_paused = False
        self._breathing = False
        self.write_paused = False
        self._waiters: list[asyncio.Future[None]] | None = None

    # For uvicorn's server.

    def shutdown(self) -> None:
        """The server stops: end now where nothing is being answered, else after it."""
        if self.stage is Stage.ANSWERING:
            if self._cycle is not None:
                self._cycle.keep_alive = False
        elif self.stage is Stage.LINGERING:
            self._await(min(_SHORT_LINGER_SECONDS, self._due - self.loop.time()))
        elif self.stage is Stage.DISCARDING:
            self._linger(_SHORT_LINGER_SECONDS)
        else:
            self.transport.close()

    # For the loop.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._state.connections.add(self)  # type: ignore[arg-type]  # annotated with uvicorn's own protocols
        self.transport = cast(asyncio.Transport, transport)
        self._client = _host_and_port(transport.get_extra_info("peername"))
        self._server = _host_and_port(transport.get_extra_info("sockname"))
        self._await(self.limits.header_seconds)
        address = self._client[0] if self._client else ""
        if self.counts.counted(address):
            self._address = address
            self.counts.enter(address)
        total = len(self._state.connections)
        refusal = self.counts.refusal(self._address, total)
        if refusal is not None:
            self._uncount()
            self._refuse(refusal, _SHORT_LINGER_SECONDS)
            if total > self.limits.max_connections * _LINGERING_SHARE:
                self._give_up()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._due = _NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._uncount()
        cycle, self._cycle = self._cycle, None
        if cycle is not None:
            cycle.disconnect()
        self.resume_writing()
        if exc is None:
            self.transport.close()
        del self._parser  # it refers to this connection

    @override
    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.stage is Stage.LINGERING:
            self._drop(len(data))
            return
        try:
            chunks = self._parser.feed(data)
        except RequestInvalid as fault:
            self._refuse(fault)
            return
        if chunks > _CHUNKS_A_TURN:
            self._breathe()
        if self.stage is Stage.ANSWERING:
            if self._parser.held_bytes > _HIGH_WATER_BYTES:
                self._pause_reading()
        elif self.stage is Stage.DISCARDING:
            if self._parser.unread_bytes == 0:
                self._next()
        elif self.stage is Stage.IDLE and self._parser.begun:
            self.stage = Stage.HEAD
            if self._served:  # on a new connection the time runs since it was made
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

    # For the parser, inside `feed` and `proceed`.

    def head_received(self, head: RequestHead) -> None:
        self._behind = False
        self._due = _NEVER
        if not self._served:
            self._served = True
            if self._timer is not None:  # most connections have one request: nothing is left to wait for
                self._timer.cancel()
                self._timer = None
        scope = scope_of(head, self._client, self._server)
        goes_on = head.keep_alive and not self.counts.last_answers
        cycle = Cycle(self, scope, keep_alive=goes_on, expects_continue=head.expects_continue)
        scope["extensions"] = {CONNECTION_EXTENSION: cycle}  # type: ignore[dict-item]  # between our two ends
        self._cycle = cycle
        self.stage = Stage.ANSWERING
        task = self.loop.create_task(cycle.run(self._app))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def body_received(self, piece: bytes) -> None:
        cycle = self._cycle
        if cycle is not None and cycle.feed(piece) > _HIGH_WATER_BYTES:
            self._pause_reading()

    def request_ended(self) -> None:
        if self._cycle is not None:
            self._cycle.feed_end()

    # For the cycle.

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        return self._state.default_headers

    @property
    def unread_bytes(self) -> int | None:
        return self._parser.unread_bytes

    async def drained(self) -> None:
        if self.write_paused:
            waiter = self.loop.create_future()
            self._waiters = [*(self._waiters or ()), waiter]
            await waiter

    def resume_reading(self) -> None:
        if self._reading_paused and not self.transport.is_closing():
            self._reading_paused = False
            self.transport.resume_reading()

    def answered(self, cycle: Cycle) -> None:
        self._state.total_requests += 1
        self._cycle = None
        if self.transport.is_closing():
            return
        self.resume_reading()
        if not cycle.keep_alive:
            self._end()
        elif cycle.more_body:
            self.stage = Stage.DISCARDING
            self._await(self.limits.keep_alive_seconds)
        else:
            self._next()

    def left_unanswered(self) -> None:
        self._cycle = None
        if not self.transport.is_closing():
            self._end()

    def _next(self) -> None:
        """Read the next request, some of which may have come already."""
        self.stage = Stage.IDLE
        self._unsent_bytes = 0
        parser = self._parser
        if not parser.held_bytes:
            parser.proceed()
            self._await(self.limits.keep_alive_seconds)
            return
        self._behind = True
        try:
            parser.proceed()
        except RequestInvalid as fault:
            self._refuse(fault)
            return
        if self.stage is not Stage.IDLE:
            return
        if self._parser.begun:
            self.stage = Stage.HEAD
            self._await(self.limits.header_seconds)
        else:
            self._await(self.limits.keep_alive_seconds)

    def _end(self) -> None:
        """After the last answer."""
        expecting = self._parser.unread_bytes != 0 or self._parser.held_bytes
        if expecting or self.transport.get_write_buffer_size():
            self._linger(self.limits.linger_seconds)
        else:
            self.transport.close()

    def _linger(self, seconds: float) -> None:
        """End our side and drop what still comes, for at most so long."""
        self.stage = Stage.LINGERING
        self._dropped_bytes = self._unsent_bytes = 0
        self._linger_due = self.loop.time() + seconds
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.resume_reading()
        self._await(min(seconds, self.limits.linger_silence_seconds))

    def _drop(self, size: int) -> None:
        self._dropped_bytes += size
        if self._dropped_bytes > self.limits.linger_bytes:
            self._give_up()
        else:
            self._due = min(self.loop.time() + self.limits.linger_silence_seconds, self._linger_due)

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()

    def _breathe(self) -> None:
        """Let the other connections have their turn before more is read of this one."""
        if not self._breathing and not self._reading_paused:
            self._breathing = True
            self.transport.pause_reading()
            self.loop.call_soon(self._breathed)

    def _breathed(self) -> None:
        self._breathing = False
        if not self._reading_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _uncount(self) -> None:
        if self._address is not None:
            self.counts.leave(self._address)
            self._address = None

    def _await(self, seconds: float) -> None:
        """Set the deadline of this state."""
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
        if self.stage is Stage.HEAD:
            self._refuse(RequestInvalid("The request headers did not arrive in time.", code="request_timeout"))
        else:
            self._give_up()

    def _give_up(self) -> None:
        """Close. A client that still takes its answer may go on; one that stopped taking it is dropped."""
        unsent = self.transport.get_write_buffer_size()
        if unsent and unsent != self._unsent_bytes:
            self._unsent_bytes = unsent
            self._await(self.limits.keep_alive_seconds)
        elif unsent:
            self.transport.abort()
        else:
            self.transport.close()

    def _refuse(self, error: GatewayError, linger_seconds: float | None = None) -> None:
        """Answer without the application, in the contract's shape, and end. Never into the midst of an answer."""
        if self.transport.is_closing():
            return
        cycle, self._cycle = self._cycle, None
        if cycle is not None:
            begun = cycle.started
            cycle.disconnect()
            if begun:
                self.transport.abort()
                return
        if self.stage is not Stage.DISCARDING and not self._behind:
            self.transport.write(bare_answer(error))
        self._linger(self.limits.linger_seconds if linger_seconds is None else linger_seconds)


def protocol_class(limits: ConnectionLimits, trusted_proxies: Iterable[str] = ()) -> type[GatewayProtocol]:
    """The protocol for one server, for uvicorn's `http` setting."""
    counts = ConnectionCounts(limits, ClientAddress(trusted_proxies))
    fields = {"limits": limits, "counts": counts, "__slots__": ()}
    return type("BoundedProtocol", (GatewayProtocol,), fields)


def _host_and_port(address: object) -> tuple[str, int] | None:
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None
