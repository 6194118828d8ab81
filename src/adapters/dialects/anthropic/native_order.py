"""Holds a Messages stream that is passed on to the order its SDKs need, where an imitator breaks it.

Anthropic's own streams never do, and pass as the bytes they came. Source: anthropic-python 2.11 and anthropic-ts 1.11
tried on odd streams, wire facts of November 2026, section 5: without a start, with a gap in the indexes, or with a
`message_delta` that has no usage they raise.
"""

from typing import Final

import msgspec

from adapters.dialects.anthropic.events import Delta, StreamEvent
from adapters.dialects.anthropic.usage import Usage
from adapters.wire.call import WireCall
from domain.messages import MessagesRequest

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_NOTHING_COUNTED: Final = msgspec.Raw(b'{"input_tokens":0,"output_tokens":0}')
_BLOCKS: Final[dict[str, dict[str, object]]] = {
    "text_delta": {"type": "text", "text": ""},
    "citations_delta": {"type": "text", "text": ""},
    "thinking_delta": {"type": "thinking", "thinking": "", "signature": ""},
    "signature_delta": {"type": "thinking", "thinking": "", "signature": ""},
}
"""The blocks that deltas can begin by themselves: a tool's input has no name without its block."""


class NativeOrder:
    """Sees every event once, in the order they came."""

    def __init__(self, call: WireCall[MessagesRequest]) -> None:
        self._call = call
        self._begun = False
        self._next = 0
        self._open: int | None = None  # the block under way, by the index the client knows
        self._has_calls = False
        self._told_end = False

    def kept(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:
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
        self._told_end = True
        if event.usage is not None:
            return before + text
        return before + _named(event, _decode_fields(data) | {"usage": msgspec.Raw(_encode(_usage(counts)))})

    def _finish(self, event: StreamEvent, text: bytes, data: bytes, counts: Usage) -> bytes:  # noqa: ARG002
        before = self._started() + self._closed()
        if not self._told_end:
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
        place, self._open = self._open, None
        return _event("content_block_stop", index=place) if place is not None else b""

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
