"""Whole answers as the events of a stream: some servers answer a request for a stream with one body.

What a dialect reads of such a body is in the client's format already, so the events are made of that.
"""

import msgspec
from typing_extensions import override

from adapters.wire.call import DialectCall, PlainAnswer
from adapters.wire.read_stream import ReadStream
from adapters.wire.sse import EVENT_STREAM
from domain.chat import ChatRequest

Fields = dict[str, msgspec.Raw]

NULL = msgspec.Raw(b"null")

_HEAD = ("id", "created", "model", "system_fingerprint", "service_tier")

_encode = msgspec.json.Encoder().encode
_decode_list = msgspec.json.Decoder(list[Fields]).decode


class Replay(msgspec.Struct, frozen=True):
    """Events for the client. `ending` closes them, once the call is settled."""

    events: bytes
    ending: bytes = b""


DONE = b"data: [DONE]\n\n"


def fields_on_one_line(body: bytes) -> Fields:
    """The top-level fields of an answer's JSON without its line breaks, which would end an event's data."""
    return msgspec.json.decode(msgspec.json.format(body, indent=-1), type=Fields)


def event(fields: object, name: str = "") -> bytes:
    """One server-sent event."""
    return (b"event: %b\n" % name.encode() if name else b"") + b"data: %b\n\n" % _encode(fields)


def chat_replay(answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
    """The chunks of a whole `chat.completion`: each choice in one, and why it ended in the next."""
    fields = fields_on_one_line(answer.body)
    head: dict[str, object] = {name: fields[name] for name in _HEAD if name in fields}
    head["object"] = "chat.completion.chunk"
    if call.include_usage:
        head["usage"] = None
    chunks: list[dict[str, object]] = []
    for choice in _decode_list(fields["choices"]):
        message = msgspec.json.decode(choice["message"], type=Fields)
        delta: dict[str, object] = {name: value for name, value in message.items() if value != NULL}
        delta["role"] = "assistant"
        if "tool_calls" in delta:
            calls = _decode_list(message["tool_calls"])
            delta["tool_calls"] = [{"index": place, **call} for place, call in enumerate(calls)]
        index = choice["index"]
        said = {"index": index, "delta": delta, "logprobs": choice.get("logprobs", NULL), "finish_reason": None}
        ended: dict[str, object] = {
            "index": index,
            "delta": {},
            "logprobs": None,
            "finish_reason": choice["finish_reason"],
        }
        chunks += ({**head, "choices": [said]}, {**head, "choices": [ended]})
    if call.include_usage and fields.get("usage", NULL) != NULL:
        chunks.append({**head, "choices": [], "usage": fields["usage"]})
    return Replay(b"".join(map(event, chunks)), DONE)


class ReplayedAnswer(ReadStream[bytes]):
    """The `StreamDecoder` of an answer that came whole: nothing is fed to it, all is said at the end."""

    content_type = EVENT_STREAM

    def __init__(self, answer: PlainAnswer, replay: Replay) -> None:
        super().__init__()
        self.model = answer.model
        self.usage = answer.usage
        self.has_content = False
        self.output_bytes = len(answer.output_text.encode(errors="replace"))
        self.ending = replay.ending
        self._text = answer.output_text
        self._events = replay.events

    def output_text(self) -> str:
        return self._text

    @override
    def _pieces(self, data: bytes) -> tuple[bytes, ...]:
        return ()

    @override
    def _read(self, piece: bytes) -> bytes:
        return piece

    @override
    def _conclude(self) -> bytes:
        self.done = self.has_content = True
        return self._events
