"""`/api/chat`: a message goes to a model through the same pipeline as any other, and its answer is kept.

The stream begins at once, with the ids; what fails after that is its last event. Whatever ends it, the client leaving
included, the message is stored with what had come and what it cost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from application.chat.people import Person
from application.chat.turns import Asked, AskedAgain, Ending, Turn, Turns
from application.inference.calls import CHAT, CallTrace
from domain.chat import ChatRequest
from domain.conversations import ChatMessage, MessageStatus, Part
from domain.keys import Principal
from entrypoints.http.chat.answers import MESSAGE_EXAMPLE, MessageAnswer, SubmitAnswer, message_answer
from entrypoints.http.chat.people import caller_of, person_of
from entrypoints.http.edge.body import ClientGone, check_text
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.errors import ErrorBody, describe, describe_and_log
from entrypoints.http.inference.json_body import JsonBody, complaint
from entrypoints.http.inference.route import InferenceRoute
from entrypoints.http.inference.serving import ClientWatch, EventWriter
from entrypoints.http.responses import send_stream_head

MAX_BODY_BYTES = 1024 * 1024


class _Paid(Protocol):
    """What is asked for, and the tenant that pays for it."""

    @property
    def tenant_id(self) -> str | None: ...


A = TypeVar("A", bound=_Paid)
Write = Callable[[bytes], Awaitable[None]]

_encode = msgspec.json.Encoder().encode
_payload = JsonBody(ChatRequest)


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)


class _Chunk(msgspec.Struct):
    """What the page shows of a chunk; the rest of it is nobody's here."""

    choices: list[_Choice] = []


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class Gathered:
    """The text of an answer so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []

    def take(self, block: bytes) -> bytes:
        """Reads a block of whole chunks; the events that the page gets for it."""
        text, reasoning = "", ""
        for chunk in _chunks(block):
            for choice in chunk.choices[:1]:
                text += choice.delta.content or ""
                reasoning += choice.delta.reasoning_content or choice.delta.reasoning or ""
        events = b""
        if reasoning:
            self._reasoning.append(reasoning)
            events += event("reasoning", {"text": reasoning})
        if text:
            self._text.append(text)
            events += event("delta", {"text": text})
        return events

    def ending(self, status: MessageStatus, error: str | None, trace: CallTrace) -> Ending:
        text = "".join(self._text)
        parts = (Part("text", text),) if text else ()
        return Ending(status, parts, "".join(self._reasoning), trace.record, error)


def event(name: str, value: object) -> bytes:
    """One server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + _encode(value) + b"\n\n"


def _chunks(block: bytes) -> Iterator[_Chunk]:
    for line in block.split(b"\n"):
        data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
        if data and data != b"[DONE]":
            yield _decode_chunk(data)


async def stream_chat(exchange: Exchange) -> None:
    turns = await exchange.services.container.get(Turns)
    asked_by = await arrived(exchange, Asked, "chat.stream")
    if asked_by is None:
        return
    person, principal, asked = asked_by
    turn = await turns.begin(person, asked, device_of(exchange), exchange.request_id)
    await _stream(exchange, Speaking(person, principal, turns, turn))


async def regenerate(exchange: Exchange) -> None:
    turns = await exchange.services.container.get(Turns)
    asked_by = await arrived(exchange, AskedAgain, "chat.regenerate")
    if asked_by is None:
        return
    person, principal, asked = asked_by
    turn = await turns.begin_again(person, asked, exchange.request_id)
    await _stream(exchange, Speaking(person, principal, turns, turn))


async def submit_chat(exchange: Exchange) -> None:
    """The same, gathered: nothing is sent before the end, so that a failure has its status."""
    turns = await exchange.services.container.get(Turns)
    asked_by = await arrived(exchange, Asked, "chat.submit")
    if asked_by is None:
        return
    person, principal, asked = asked_by
    turn = await turns.begin(person, asked, device_of(exchange), exchange.request_id)

    async def nowhere(_: bytes) -> None:
        """Nobody reads along."""

    message, error = await _answer(exchange, Speaking(person, principal, turns, turn), nowhere, None)
    if error is not None:
        raise error
    answer = SubmitAnswer(turn.conversation.id, message_answer(message))
    await exchange.send_json(200, _encode(answer))


class Speaking(NamedTuple):
    """A turn on its way, and whose it is."""

    person: Person
    principal: Principal
    turns: Turns
    turn: Turn


async def _stream(exchange: Exchange, speaking: Speaking) -> None:
    turn = speaking.turn
    send = exchange.begin()
    await send_stream_head(send, exchange.headers())
    edge = exchange.services.edge
    writer = EventWriter(send, edge.ping_seconds, edge.write_stall_seconds, exchange.abort)
    try:
        ids = {
            "conversation_id": turn.conversation.id,
            "user_message_id": turn.user_message_id,
            "message_id": turn.answer.id,
        }
        message, error = await _answer(exchange, speaking, writer.write, event("start", ids))
        if isinstance(error, ClientGone):
            return
        if error is None:
            last = event("done", message_answer(message))
        else:
            shown = describe_and_log(error, exchange.request_id)
            last = event("error", ErrorBody(shown.error, exchange.request_id))
        async with asyncio.timeout(edge.write_stall_seconds):
            await writer.write(last)
            await writer.finish()
    except TimeoutError:
        exchange.abort()
    finally:
        writer.close()


async def _answer(
    exchange: Exchange, speaking: Speaking, write: Write, first: bytes | None
) -> tuple[ChatMessage, Exception | None]:
    """Asks the model and keeps what comes. The message as it is stored, and what ended it early."""
    gathered = Gathered()
    problem: Exception | None = None
    person, principal, turns, turn = speaking
    call = exchange.call(principal, _payload.decode(turn.body))
    trace = call.trace
    try:
        with ClientWatch(exchange, trace):
            if first is not None:
                await write(first)
            reply = await exchange.services.pipeline.stream(CHAT, call)
            try:
                async for block in reply:
                    if events := gathered.take(block):
                        await write(events)
            finally:
                await asyncio.shield(reply.aclose())
    except Exception as error:  # noqa: BLE001 - kept with the message, described and logged by whoever answers
        problem = error
    except asyncio.CancelledError:
        await asyncio.shield(turns.end(person, turn, gathered.ending("stopped", None, trace)))
        raise
    ending = gathered.ending(*verdict(problem), trace)
    return await asyncio.shield(turns.end(person, turn, ending)), problem


def verdict(problem: Exception | None) -> tuple[MessageStatus, str | None]:
    """How a message has ended, and in words what failed."""
    if problem is None:
        return "complete", None
    return ("stopped", None) if isinstance(problem, ClientGone) else ("failed", describe(problem).error.message)


async def arrived(exchange: Exchange, kind: type[A], endpoint: str) -> tuple[Person, Principal, A] | None:
    """Who asks, as whom a model is asked, and for what. None where the answer was kept and has been sent again.

    Raises `RequestInvalid` for a body that is no `kind`, and as whoever looks at sessions and keys of idempotency.
    """
    person = await person_of(exchange)
    body = await exchange.reader(MAX_BODY_BYTES).read()
    check_text(body)
    try:
        asked = msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise complaint(error) from None
    person = person.paying_in(asked.tenant_id)
    principal = await caller_of(exchange, person)
    if b"idempotency-key" in exchange.head.singles:
        from entrypoints.http.inference.replays import replayed  # few clients send it

        if await replayed(exchange, principal, endpoint, body):
            return None
    return person, principal, asked


def device_of(exchange: Exchange) -> str | None:
    """What the page calls the device it runs on, where it says so."""
    headers = exchange.scope["headers"]
    return next((value.decode("latin-1") for name, value in headers if name == b"x-device-id"), None)


_ASKED = {"model": "auto", "content": "Name a prime above ten.", "system_prompt": "You are brief."}
_START = {
    "conversation_id": "conv_0198f3c2a1b47d0e8c5f6a7b8c9d0e1f",
    "user_message_id": MESSAGE_EXAMPLE["parent_id"],
    "message_id": MESSAGE_EXAMPLE["id"],
}
_EVENTS = (event("start", _START) + event("delta", {"text": "Eleven."}) + event("done", MESSAGE_EXAMPLE)).decode()
_SUBMITTED = {"conversation_id": _START["conversation_id"], "message": MESSAGE_EXAMPLE}

STREAM_CHAT = InferenceRoute(
    path="/api/chat/stream",
    method="POST",
    operation_id="streamChat",
    tag="Chat app",
    summary="Send a message, and read the answer as it comes",
    description=(
        "Server-sent events: `start` with the ids, `delta` and `reasoning` with text, and at last `done` with the "
        "stored message or `error`. Without `conversation_id` a conversation begins. Leaving the stream stops the "
        "model; what had come is stored with `status: stopped` and what it cost."
    ),
    handler=stream_chat,
    request=Asked,
    request_example=_ASKED,
    response=MessageAnswer,
    response_example=MESSAGE_EXAMPLE,
    streams=True,
    stream_example=_EVENTS,
    pinned=False,
)

SUBMIT_CHAT = InferenceRoute(
    path="/api/chat/submit",
    method="POST",
    operation_id="submitChat",
    tag="Chat app",
    summary="Send a message, and get the whole answer",
    description="The same body as the stream's.",
    handler=submit_chat,
    request=Asked,
    request_example=_ASKED,
    response=SubmitAnswer,
    response_example=_SUBMITTED,
    pinned=False,
)

REGENERATE = InferenceRoute(
    path="/api/chat/regenerate",
    method="POST",
    operation_id="regenerateAnswer",
    tag="Chat app",
    summary="Ask for another answer",
    description=(
        "To the same message, by another model where one is named. The old answer stays: messages of one `parent_id` "
        "are siblings, and `active` marks the one that is shown. What came after the old answer is no longer shown. "
        "The answer is a stream, as of `/api/chat/stream`."
    ),
    handler=regenerate,
    request=AskedAgain,
    request_example={"conversation_id": _START["conversation_id"], "message_id": MESSAGE_EXAMPLE["id"]},
    response=MessageAnswer,
    response_example=MESSAGE_EXAMPLE,
    streams=True,
    stream_example=_EVENTS,
    pinned=False,
)
