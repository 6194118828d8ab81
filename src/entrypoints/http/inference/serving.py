"""Serves every endpoint that goes through the pipeline: authenticate, read, run, and answer plain or as a stream."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from application.inference.calls import CallContext
from application.inference.operations import Operation
from application.inference.streams import StreamReply
from domain.inference import InferenceRequest
from domain.keys import Principal
from domain.money import usd
from domain.ports.providers import Answering, Streaming
from domain.wire import Payload
from entrypoints.http.edge.body import ClientGone
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import describe_and_log
from entrypoints.http.inference.client_watch import ClientWatch
from entrypoints.http.inference.event_writer import EventWriter
from entrypoints.http.responses import send_stream_head

R = TypeVar("R", bound=InferenceRequest)

_UNPRICED = (b"x-omg-cost", b"unpriced")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving(Generic[R]):
    """One endpoint's way through the pipeline; call it with an exchange.

    `decode` raises `RequestInvalid` for a body that is no such request. A request that streams goes through
    `streaming`, any other through `answering`; an endpoint has at least one of them, and where it lacks the one
    asked for, the request takes the other. `client_headers` are the names, in lower case, of those an upstream of
    the same API may see. `origin` names the provider that a request must go to by what it refers to, or else
    the one its path is pinned to; it raises `RequestInvalid` where that cannot be.
    """

    decode: Callable[[Exchange, bytes], Awaitable[Payload[R]]]
    answering: Operation[Answering[R]] | None = None
    streaming: Operation[Streaming[R]] | None = None
    client_headers: frozenset[bytes] = frozenset()
    origin: Callable[[Exchange, R], str | None] | None = None

    async def __call__(self, exchange: Exchange) -> None:
        principal = await exchange.authenticate()
        exchange.require_provider()
        payload = await self.decode(exchange, await exchange.read_body())
        if self.origin is not None:
            exchange.provider = self.origin(exchange, payload.value)
        if self.streaming is not None and (payload.value.streams or self.answering is None):
            context = exchange.call(self.streaming.endpoint, self.client_headers)
            serving = _stream(exchange, self.streaming, principal, payload, context)
            del payload  # not kept while the stream is open
            await serving
        elif self.answering is not None:
            context = exchange.call(self.answering.endpoint, self.client_headers)
            await _complete(exchange, self.answering, principal, payload, context)


async def _complete(
    exchange: Exchange,
    operation: Operation[Answering[R]],
    principal: Principal,
    payload: Payload[R],
    context: CallContext,
) -> None:
    services = exchange.services
    with ClientWatch(exchange, context.trace):
        reply = await services.pipeline.complete(operation, principal, payload, context)
    await exchange.send_body(200, reply.body, reply.content_type, _cost_header(reply.cost_nano_usd))


def _cost_header(cost_nano_usd: int | None) -> tuple[bytes, bytes]:
    return _UNPRICED if cost_nano_usd is None else (b"x-omg-cost-usd", usd(cost_nano_usd).encode())


async def _stream(
    exchange: Exchange,
    operation: Operation[Streaming[R]],
    principal: Principal,
    payload: Payload[R],
    context: CallContext,
) -> None:
    """An error before the first block becomes a status; a later one an event, and nothing closes the stream."""
    services = exchange.services
    writer: EventWriter | None = None
    events, told = True, 0
    watch = ClientWatch(exchange, context.trace)
    try:
        with watch:
            reply = await services.pipeline.stream(operation, principal, payload, context)
            del payload
            try:
                events = reply.content_type.startswith("text/event-stream")
                writer = await _begin(exchange, reply, watch)
                async for block in reply:
                    told += block.count(b"\n\n")
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
            await _end(exchange, writer, exchange.errors.event(answer, exchange.request_id, told))
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


async def _end(exchange: Exchange, writer: EventWriter, last: bytes = b"") -> None:
    """No one watches the client any more: one that takes nothing now is dropped here."""
    try:
        async with asyncio.timeout(exchange.services.edge.write_stall_seconds):
            if last:
                await writer.write(last)
            await writer.finish()
    except TimeoutError:
        exchange.abort()
