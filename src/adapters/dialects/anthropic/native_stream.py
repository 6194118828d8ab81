"""Passes a Messages stream on as the bytes it came, and reads along.

R-08: the parser only observes, and mends what SDKs cannot follow. Held back is `message_stop` alone, which is sent
when the call is settled. An event without a name gets the one its data says: SDKs do not see events that have none.

Anthropic's own streams always have the order that its SDKs need; where an imitator breaks it, `EventOrder` mends it.
Source: anthropic-python 2.11 and anthropic-ts 1.11 tried on odd streams, wire facts of November 2026, section 5:
without a start, with a gap in the indexes, or with a `message_delta` that has no usage they raise.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from typing_extensions import override

from adapters.dialects.anthropic.answer import Delta, StreamedUsage, StreamEvent, Usage, read_stream_event
from adapters.dialects.anthropic.errors import reported_failure
from adapters.dialects.anthropic.native_answer import is_sound, sound_block
from adapters.wire.call import DialectCall, KeptText
from adapters.wire.errors import invalid_answer, unreadable
from adapters.wire.raw_json import UNDECODABLE, mended, without_halves, without_odd_bytes
from adapters.wire.read_stream import ReadStream
from adapters.wire.sse import EventCutter, read_event
from domain.messages import MessagesRequest
from domain.usage import TokenUsage

_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_NOTHING_COUNTED: Final = msgspec.Raw(b'{"input_tokens":0,"output_tokens":0}')
_BLOCKS: Final[dict[str, dict[str, object]]] = {
    "text_delta": {"type": "text", "text": ""},
    "citations_delta": {"type": "text", "text": ""},
    "thinking_delta": {"type": "thinking", "thinking": "", "signature": ""},
    "signature_delta": {"type": "thinking", "thinking": "", "signature": ""},
}
"""The blocks that deltas can begin by themselves: a tool's input has no name without its block."""


class EventOrder:
    """Sees every event once, in the order they came."""

    def __init__(self, call: DialectCall[MessagesRequest]) -> None:
        self._call = call
        self._begun = False
        self._next = 0
        self._open: int | None = None  # the block under way, by the index the client knows
        self._has_calls = False
        self._has_message_delta = False

    def mended(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:
        """`text` with its blank line, behind what is missing before it; nothing for what belongs nowhere.

        `data` is the event's JSON, `counts` what was counted so far.
        """
        handle = {
            "message_start": self._start,
            "content_block_start": self._begin,
            "content_block_delta": self._more,
            "content_block_stop": self._stop,
            "message_delta": self._note_end,
            "message_stop": self._finish,
        }.get(event.type)
        return handle(event, text + b"\n\n", data, counts) if handle is not None else text + b"\n\n"

    def _start(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:  # noqa: ARG002
        self._begun = True
        if event.message is None or event.message.usage is not None:
            return text
        fields = _decode_fields(data)
        message = _decode_fields(fields["message"]) | {"usage": _NOTHING_COUNTED}
        return _named(event, fields | {"message": msgspec.Raw(_encode(message))})

    def _begin(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:  # noqa: ARG002
        before = self._started() + self._closed()
        self._open, self._next = self._next, self._next + 1
        block = event.content_block
        self._has_calls = self._has_calls or (block is not None and block.type == "tool_use")
        if block is not None and not is_sound(block):
            fields = _decode_fields(mended(data, StreamEvent))
            whole = sound_block(_decode_any(fields["content_block"]), f"{self._call.answer_id}/{self._open}")
            fields |= {"content_block": msgspec.Raw(_encode(whole)), "index": msgspec.Raw(_encode(self._open))}
            return before + _named(event, fields)
        return before + self._indexed(event, text, data)

    def _more(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:  # noqa: ARG002
        before = b""
        if self._open is None:
            block = _BLOCKS.get((event.delta or Delta()).type)
            if block is None:
                return b""
            before = self._started()
            self._open, self._next = self._next, self._next + 1
            before += _event("content_block_start", index=self._open, content_block=block)
        return before + self._indexed(event, text, data)

    def _stop(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:  # noqa: ARG002
        if self._open is None:
            return b""
        stop = self._indexed(event, text, data)
        self._open = None
        return stop

    def _note_end(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:
        before = self._started() + self._closed()
        self._has_message_delta = True
        if event.usage is not None:
            return before + text
        return before + _named(event, _decode_fields(data) | {"usage": msgspec.Raw(_encode(_usage(counts)))})

    def _finish(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:  # noqa: ARG002
        before = self._started() + self._closed()
        if not self._has_message_delta:
            delta = {"stop_reason": "tool_use" if self._has_calls else "end_turn", "stop_sequence": None}
            before += _event("message_delta", delta=delta, usage=_usage(counts))
        return before + text

    def _started(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        message: dict[str, object] = {
            "id": f"msg_{self._call.answer_id.removeprefix('chatcmpl-')}",
            "type": "message",
            "role": "assistant",
            "model": self._call.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _NOTHING_COUNTED,
        }
        return _event("message_start", message=message)

    def _closed(self) -> bytes:
        index, self._open = self._open, None
        return _event("content_block_stop", index=index) if index is not None else b""

    def _indexed(self, event: StreamEvent, text: bytes, data: bytes) -> bytes:
        if event.index == self._open:
            return text
        return _named(event, _decode_fields(data) | {"index": msgspec.Raw(_encode(self._open))})


def _usage(counts: Usage) -> dict[str, object]:
    return {"output_tokens": counts.output_tokens or 0}


def _named(event: StreamEvent, fields: dict[str, msgspec.Raw]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.type.encode(), _encode(fields))


def _event(name: str, **data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **data}))


class NativeStreamDecoder(ReadStream[bytes]):
    """Fed with bytes as they arrive; gives back whole events. Never raises."""

    def __init__(self, call: DialectCall[MessagesRequest]) -> None:
        super().__init__()
        self.model = call.model
        self.has_content = False
        self.ending = b""
        self._call = call
        self._cutter = EventCutter()
        self._event_order = EventOrder(call)
        self._counts = StreamedUsage()
        self._begun = False
        self._kept = KeptText()

    @property
    def usage(self) -> TokenUsage | None:
        return self._counts.tokens()

    @property
    def output_bytes(self) -> int:
        return self._kept.bytes

    def output_text(self) -> str:
        return self._kept.text()

    @override
    def _pieces(self, data: bytes) -> Iterable[bytes]:
        block = self._cutter.feed(data)
        return block[:-2].split(b"\n\n") if block else ()

    @override
    def _read(self, piece: bytes) -> bytes:
        event = self._pass(piece)
        if not self.done:
            return event
        self.ending = event
        return b""

    def _pass(self, text: bytes) -> bytes:
        """The event as it goes to the client; nothing for an imitator's `[DONE]`."""
        text = without_odd_bytes(text)
        name, data = read_event(text)
        if data is None or not data.strip():
            return text + b"\n\n"
        if data.strip() == b"[DONE]":
            return b""
        data = without_halves(data)  # to read it; the event passes as it came
        event = read_stream_event(name, data, self._call)
        if event is None:
            return text + b"\n\n"
        if name == b"error" or event.type == "error":
            raise reported_failure(data, secret=self._call.secret, now=self._call.now())
        self._observe(event)
        named = text if name or not event.type else b"event: " + event.type.encode() + b"\n" + text.lstrip(b"\n")
        try:
            return self._event_order.mended(event, named, data, self._counts.so_far)
        except UNDECODABLE:  # in a field that nobody read until now
            raise unreadable(data, self._call.secret, "an event of a message") from None

    def _observe(self, event: StreamEvent) -> None:
        if event.type == "message_start":
            self._begun = True
            if event.message is not None:
                self.model = event.message.model or self.model
                self._counts.start(event.message.usage)
        elif event.type == "content_block_start" and event.content_block is not None:
            block = event.content_block
            self._counts.note(block)
            self._say(block.text or block.thinking or block.name or "", always=block.type not in {"text", "thinking"})
        elif event.type == "content_block_delta" and event.delta is not None:
            self._say(_delta_text(event.delta), always=False)
        elif event.type == "message_delta":
            self._note_end(event)
        elif event.type == "message_stop":
            if not self._begun:
                raise invalid_answer("the stream ended without an answer")
            self.done = True

    def _note_end(self, event: StreamEvent) -> None:
        self.has_content = self.has_content or (event.delta is not None and event.delta.stop_reason is not None)
        self._counts.add(event.usage)

    def _say(self, text: str, *, always: bool) -> None:
        if not text and not always:
            return
        self._begun = self.has_content = True
        self._kept.add(text)


def _delta_text(delta: Delta) -> str:
    return delta.text or delta.thinking or delta.partial_json or ""
