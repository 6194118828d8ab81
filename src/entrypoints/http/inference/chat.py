"""`POST /v1/chat/completions`: authenticate, read, run the pipeline, and answer plain or as a stream."""

import asyncio

import msgspec

from application.inference.calls import CallContext
from domain.chat import ChatCompletion, ChatRequest
from domain.keys import Principal
from domain.money import usd
from domain.wire import Payload
from entrypoints.http.edge.body import ClientGone
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import describe_and_log
from entrypoints.http.inference.chat_body import decode_chat
from entrypoints.http.inference.client_watch import ClientWatch
from entrypoints.http.inference.event_writer import EventWriter
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.responses import send_stream_head

ENDPOINT = "chat.completions"

_UNPRICED = (b"x-omg-cost", b"unpriced")
_encode = msgspec.json.Encoder().encode


async def create_chat_completion(exchange: Exchange) -> None:
    principal = await exchange.authenticate()
    exchange.require_provider()
    payload = await decode_chat(await exchange.read_body())
    context = exchange.call(ENDPOINT)
    answer = _stream if payload.value.stream else _complete
    await answer(exchange, principal, payload, context)


async def _complete(
    exchange: Exchange, principal: Principal, payload: Payload[ChatRequest], context: CallContext
) -> None:
    services = exchange.services
    with ClientWatch(exchange.receive, context.trace, services.drain):
        reply = await services.pipeline.complete(principal, payload, context)
    await exchange.send_json(200, reply.body, _cost_header(reply.cost_nano_usd))


def _cost_header(cost_nano_usd: int | None) -> tuple[bytes, bytes]:
    return _UNPRICED if cost_nano_usd is None else (b"x-omg-cost-usd", usd(cost_nano_usd).encode())


async def _stream(
    exchange: Exchange, principal: Principal, payload: Payload[ChatRequest], context: CallContext
) -> None:
    """An error before the first block becomes a status; a later one an event, after which there is no `[DONE]`."""
    services = exchange.services
    writer: EventWriter | None = None
    watch = ClientWatch(exchange.receive, context.trace, services.drain)
    try:
        with watch:
            reply = await services.pipeline.stream(principal, payload, context)
            try:
                writer = await _begin(exchange, watch)
                async for block in reply:
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
        await _end(exchange, writer, _error_event(error, exchange.request_id))
    finally:
        if writer is not None:
            writer.close()


async def _begin(exchange: Exchange, watch: ClientWatch) -> EventWriter:
    edge = exchange.services.edge
    headers = exchange.headers()
    send = exchange.begin()
    await send_stream_head(send, headers)
    return EventWriter(send, edge.ping_seconds, edge.write_stall_seconds, watch.stalled)


async def _end(exchange: Exchange, writer: EventWriter, last: bytes = b"") -> None:
    """No one watches the client any more: one that takes nothing now is dropped here."""
    try:
        async with asyncio.timeout(exchange.services.edge.write_stall_seconds):
            if last:
                await writer.write(last)
            await writer.finish()
    except TimeoutError:
        exchange.abort()


def _error_event(error: Exception, request_id: str) -> bytes:
    """As OpenAI writes it; its SDKs raise on a `data` line whose object has `error`."""
    detail = describe_and_log(error, request_id).error
    return b"data: " + _encode({"error": detail}) + b"\n\n"


CHAT_COMPLETIONS = InferenceRoute(
    path="/v1/chat/completions",
    method="POST",
    operation_id="createChatCompletion",
    tag="Chat",
    summary="Complete a chat",
    description=(
        "OpenAI's chat completions, served by whichever provider can. With `stream: true` the answer is a stream of "
        "server-sent events, `data: [DONE]` last. `model` is `provider/model`, a bare model id, or `auto`; `models` "
        "lists further candidates. Fields the gateway does not know are forwarded."
    ),
    handler=create_chat_completion,
    request=ChatRequest,
    request_example={
        "model": "auto",
        "messages": [
            {"role": "system", "content": "You are brief."},
            {"role": "user", "content": "Name a prime above ten."},
        ],
        "max_completion_tokens": 64,
    },
    response=ChatCompletion,
    response_example={
        "id": "chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
        "object": "chat.completion",
        "created": 1795262400,
        "model": "llama-4-scout",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "11", "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 21, "completion_tokens": 1, "total_tokens": 22},
    },
    streams=True,
)
