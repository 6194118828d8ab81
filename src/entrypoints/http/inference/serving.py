"""Serves every endpoint that goes through the pipeline: authenticate, read, run, and answer plain or as a stream.

A client is watched from the whole request to the last byte (`ClientWatch`); a stream is written to it by an
`EventWriter`, which keeps it awake and does not wait for it for ever.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Literal, TypeVar

from litestar.types import Send

from application.inference.calls import CallTrace, InferenceCall, Operation
from application.inference.streams import StreamReply
from domain.errors import GatewayError, PermissionDenied, Unauthenticated
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.money import usd
from domain.payload import Payload
from domain.ports.providers import Answering, Streaming
from entrypoints.http.edge.body import ClientGone
from entrypoints.http.edge.drain import shutting_down
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import describe_and_log
from entrypoints.http.responses import send_stream_head


class EventWriter:
    """One timer a stream keeps both clocks: silence since the last write, and the length of the write under way.

    `on_stall` is called once where a write has waited `stall_seconds` for the client (R-35). Pings are whole
    events and never go out while a block is being written; `ping_seconds` of None
    is for answers that are no events, into which nothing may be put.
    """

    def __init__(
        self,
        send: Send,
        ping_seconds: float | None,
        stall_seconds: float,
        on_stall: Callable[[], None],
        ping: bytes = b": ping\n\n",
    ) -> None:
        self._send = send
        self._ping_seconds = ping_seconds if ping_seconds is not None else float("inf")
        self._ping_event = ping
        self._stall_seconds = stall_seconds
        self._on_stall = on_stall
        self._loop = asyncio.get_running_loop()
        self._written_at = self._loop.time()
        self._writing_since: float | None = None
        self._ping: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(
            min(self._ping_seconds, stall_seconds), self._tick
        )

    async def write(self, block: bytes) -> None:
        """Hand one block of whole events over; returns when the connection has taken it."""
        if self._ping is not None:
            await self._ping
        self._writing_since = self._loop.time()
        await self._send({"type": "http.response.body", "body": block, "more_body": True})
        self._writing_since = None
        self._written_at = self._loop.time()

    async def finish(self) -> None:
        """End the response."""
        if self._ping is not None:
            await self._ping
        self.close()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def close(self) -> None:
        """Stop the clocks. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ping is not None:
            self._ping.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        if self._writing_since is not None:
            due = self._writing_since + self._stall_seconds
            if now >= due:
                self._timer = None
                self._on_stall()
                return
        else:
            due = min(self._written_at + self._ping_seconds, now + self._stall_seconds)
            if now >= due:
                due = now + min(self._ping_seconds, self._stall_seconds)
                self._ping = self._loop.create_task(self._send_ping())
        self._timer = self._loop.call_at(due, self._tick)

    async def _send_ping(self) -> None:
        self._writing_since = self._loop.time()
        try:
            await self._send({"type": "http.response.body", "body": self._ping_event, "more_body": True})
            self._written_at = self._loop.time()
        finally:
            self._writing_since = None
            self._ping = None


Reason = Literal["client_left", "client_stalled", "shutting_down", "refused"]


class ClientWatch:
    """Around everything between the whole request and its last byte, in the handler's own task.

    Entering asks the server to call back when the client leaves, or, where it cannot, starts one task that waits
    for the disconnect. When it comes, the handler is cancelled, wherever it awaits, and leaving turns that
    cancellation into `ClientGone`; an interruption by the drain becomes `ServiceUnavailable`, and the end of the key
    of a stream (`by_key`) what the next request with it is told. A cancellation by anyone else passes through. After
    `disarm` nothing cancels any more: call it before the last byte, for a finished answer looks like a disconnect.
    """

    __slots__ = ("_armed", "_by_key", "_drain", "_exchange", "_refusal", "_task", "_trace", "_watcher", "reason")

    def __init__(self, exchange: Exchange, trace: CallTrace, *, by_key: bool = False) -> None:
        self._by_key = by_key
        self._refusal: GatewayError | None = None
        self._exchange = exchange
        self._trace = trace
        self._drain = exchange.services.drain
        self._task: asyncio.Task[object] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._armed = False
        self.reason: Reason | None = None

    def __enter__(self) -> "ClientWatch":
        self._armed = True
        connection = self._exchange.connection
        if self._exchange.keeping is not None:  # whoever leaves may come again for the answer
            self._task = asyncio.current_task()
        elif connection is not None:
            self._task = asyncio.current_task(connection.loop)
            connection.watch(self._client_left)
        else:
            self._task = asyncio.current_task()
            self._watcher = asyncio.get_running_loop().create_task(self._watch())
        self._drain.started(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disarm()
        if self.reason is None or self._task is None:
            return
        others = self._task.uncancel()
        if isinstance(error, asyncio.CancelledError) and others == 0:
            if self._refusal is not None:
                raise self._refusal from error
            raise shutting_down() if self.reason == "shutting_down" else ClientGone from error

    def disarm(self) -> None:
        """Watch no longer. Idempotent."""
        if not self._armed:
            return
        self._armed = False
        self._drain.ended(self)
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        elif (connection := self._exchange.connection) is not None:
            connection.watch(None)

    def interrupt(self) -> None:
        """The process is going down."""
        self._cancel("shutting_down")

    async def check_again(self) -> None:
        """A stream ends with its key; an answer that comes in one piece still comes."""
        if not self._by_key:
            return
        try:
            await self._exchange.authenticate()
        except (Unauthenticated, PermissionDenied) as refusal:
            self._refusal = refusal
            self._cancel("refused")

    def stalled(self) -> None:
        """The client takes nothing of its answer."""
        self._trace.client_left = True
        self._cancel("client_stalled")

    async def _watch(self) -> None:
        receive = self._exchange.receive
        while (await receive())["type"] != "http.disconnect":
            pass
        self._client_left()

    def _client_left(self) -> None:
        self._trace.client_left = True
        self._cancel("client_left")

    def _cancel(self, reason: Reason) -> None:
        if self.reason is None and self._armed and self._task is not None:
            self.reason = reason
            self._task.cancel()


R = TypeVar("R", bound=InferenceRequest)

HURRIED_SECONDS = 1.0
"""How long a client may take for the last event of a stream when the process goes down."""

_UNPRICED = (b"x-omg-cost", b"unpriced")
_INEXACT = (b"x-omg-cost-exact", b"false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving(Generic[R]):
    """One endpoint's way through the pipeline; call it with an exchange.

    `decode` raises `RequestInvalid` for a body that is no such request. A request that streams goes through
    `streaming`, any other through `answering`; an endpoint has at least one of them, and where it lacks the one
    asked for, the request takes the other. `client_headers` are the names, in lower case, of those an upstream of
    the same API may see. `origin` names the provider that a request must go to by what it refers to, or else
    the one its path is pinned to; it raises `RequestInvalid` or `NotFound` where that cannot be.
    """

    decode: Callable[[Exchange, bytes], Awaitable[Payload[R]]]
    answering: Operation[Answering[R]] | None = None
    streaming: Operation[Streaming[R]] | None = None
    client_headers: frozenset[bytes] = frozenset()
    origin: Callable[[Exchange, Principal, R], str | None] | None = None

    @property
    def endpoint(self) -> str:
        """As it stands in the records."""
        operation = self.answering or self.streaming
        return operation.endpoint if operation is not None else ""

    async def __call__(self, exchange: Exchange) -> None:
        principal = await exchange.authenticate()
        exchange.require_provider()
        body = await exchange.read_body()
        if b"idempotency-key" in exchange.head.singles:
            from entrypoints.http.inference.replays import replayed  # few clients send it

            if await replayed(exchange, principal, self.endpoint, body):
                return
        payload = await self.decode(exchange, body)
        del body
        if self.origin is not None:
            exchange.provider = self.origin(exchange, principal, payload.value)
        call = exchange.call(principal, payload, self.client_headers)
        if self.streaming is not None and (payload.value.streams or self.answering is None):
            serving = _stream(exchange, self.streaming, call)
            del payload, call  # not kept while the stream is open
            await serving
        elif self.answering is not None:
            await _complete(exchange, self.answering, call)


async def _complete(exchange: Exchange, operation: Operation[Answering[R]], call: InferenceCall[R]) -> None:
    services = exchange.services
    with ClientWatch(exchange, call.trace):
        reply = await services.pipeline.complete(operation, call)
    cost = _cost_header(reply.cost_nano_usd)
    if reply.cost_missing:
        missing = (b"x-omg-cost-missing", ",".join(reply.cost_missing).encode("ascii", "replace"))
        await exchange.send_body(200, reply.body, reply.content_type, cost, _INEXACT, missing)
    else:
        await exchange.send_body(200, reply.body, reply.content_type, cost)


def _cost_header(cost_nano_usd: int | None) -> tuple[bytes, bytes]:
    return _UNPRICED if cost_nano_usd is None else (b"x-omg-cost-usd", usd(cost_nano_usd).encode())


async def _stream(exchange: Exchange, operation: Operation[Streaming[R]], call: InferenceCall[R]) -> None:
    """An error before the first block becomes a status; a later one an event, and nothing closes the stream."""
    services = exchange.services
    writer: EventWriter | None = None
    events, passed_on = True, 0
    watch = ClientWatch(exchange, call.trace, by_key=True)
    try:
        with watch:
            reply = await services.pipeline.stream(operation, call)
            del call
            exchange.release_body()
            try:
                events = reply.content_type.startswith("text/event-stream")
                writer = await _begin(exchange, reply, watch)
                async for block in reply:
                    passed_on += block.count(b"\n\n")
                    await writer.write(block)
            finally:
                await asyncio.shield(reply.aclose())
        await _end(exchange, writer)
    except ClientGone:
        if watch.reason == "client_stalled":
            exchange.abort()
    except Exception as error:  # described and logged; too late for a status, it becomes an event
        if writer is None:
            raise
        answer = describe_and_log(error, exchange.request_id)
        if events:
            last = exchange.errors.event(answer, exchange.request_id, passed_on)
            await _end(exchange, writer, last, hurried=watch.reason in ("shutting_down", "refused"))
        else:
            exchange.abort()  # a file cut off must not look like a whole one
    finally:
        if writer is not None:
            writer.close()


async def _begin(exchange: Exchange, reply: StreamReply, watch: ClientWatch) -> EventWriter:
    edge = exchange.services.edge
    content_type = reply.content_type
    headers = exchange.headers()
    send = exchange.begin()
    await send_stream_head(send, headers, content_type)
    ping_seconds = edge.ping_seconds if content_type.startswith("text/event-stream") else None
    return EventWriter(send, ping_seconds, edge.write_stall_seconds, watch.stalled, exchange.errors.ping)


async def _end(exchange: Exchange, writer: EventWriter, last: bytes = b"", *, hurried: bool = False) -> None:
    """No one watches the client any more: one that takes nothing now is dropped here, soon where it is `hurried`."""
    patience = exchange.services.edge.write_stall_seconds
    try:
        async with asyncio.timeout(min(patience, HURRIED_SECONDS) if hurried else patience):
            if last:
                await writer.write(last)
            await writer.finish()
    except TimeoutError:
        exchange.abort()
