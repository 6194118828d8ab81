"""A body of Google's API with what its address says: the model, and whether and how the answer streams."""

import asyncio
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec
from litestar.types import Message, Send

from domain.content_spelling import needs_respelling, respelt, whole
from domain.inference import InferenceRequest
from domain.payload import Payload
from entrypoints.http.edge.body import DECODE_ASIDE_BYTES, check_text
from entrypoints.http.edge.exchange import Exchange
from entrypoints.http.inference.json_body import complaint

R = TypeVar("R", bound=InferenceRequest)

_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_WRAPPED: Final = "generateContentRequest"
_NULL: Final = msgspec.Raw(b"null")

_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


class ContentBody(Generic[R]):
    """Decodes one request type. With `stream` the answer streams: as events with `alt=sse`, else as one JSON array."""

    def __init__(self, request: type[R], *, stream: bool = False) -> None:
        self._decode_request = msgspec.json.Decoder(request).decode
        self._stream = stream

    async def __call__(self, exchange: Exchange, body: bytes) -> Payload[R]:
        """Raises `RequestInvalid`. Large bodies are decoded in a thread."""
        if self._stream and not _wants_events(exchange.scope["query_string"]):
            exchange.send_through(in_array)
        if len(body) > DECODE_ASIDE_BYTES:
            return await asyncio.to_thread(self.decode, body, exchange.tail)
        return self.decode(body, exchange.tail)

    def decode(self, body: bytes, model: str) -> Payload[R]:
        """The same, here and now."""
        check_text(body)
        try:
            given = _decode_fields(respelt(body) if needs_respelling(body) else body)
            if given.get(_WRAPPED, _NULL) != _NULL:
                given |= _decode_fields(given.pop(_WRAPPED))
            fields = {name: whole(name, raw) for name, raw in given.items()}
            fields["model"] = msgspec.Raw(_encode(model))
            fields.pop("stream", None)
            if self._stream:
                fields["stream"] = msgspec.Raw(b"true")
            return Payload(self._decode_request(_encode(fields)), fields, len(body))
        except _UNREADABLE as error:
            raise complaint(error) from None


def _wants_events(query: bytes) -> bool:
    asked = parse_qs(query.decode("latin-1"))
    return "sse" in (asked.get("alt") or asked.get("$alt") or ())


def in_array(send: Send) -> Send:
    """Events as elements of one JSON array, as they come; an error in the middle is its last. Pings are blank lines.

    Anything else than a stream of events passes as it is.
    """
    framing = _Array(send)
    return framing.send


class _Array:
    def __init__(self, send: Send) -> None:
        self._pass = send
        self._streams = False
        self._begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message["headers"])
            self._streams = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in own
            )
            if self._streams:
                message["headers"] = [
                    (name, b"application/json" if name == b"content-type" else value) for name, value in own
                ]
        elif message["type"] == "http.response.body" and self._streams:
            message["body"] = self._framed(message["body"], last=not message["more_body"])
        await self._pass(message)

    def _framed(self, block: bytes, *, last: bool) -> bytes:
        out: list[bytes] = []
        for event in block.split(b"\n\n"):
            if event.startswith(b"data:"):
                out += [b",\r\n" if self._begun else b"[", event[5:].strip()]
                self._begun = True
        if last:
            out.append(b"]" if self._begun else b"[]")
        return b"".join(out) or b"\n"
