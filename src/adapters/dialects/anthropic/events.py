"""The events of a Messages stream, as far as anyone here reads them.

Source: anthropic-python 2.11 types, wire facts of November 2026. The `type` in the data says what an event is;
imitators leave out the event's name. Unknown types, and unknown fields of known ones, are no fault.
"""

from typing import TypeVar

import msgspec

from adapters.dialects.anthropic.errors import failure_told
from adapters.dialects.anthropic.history import ABSENT, Raw
from adapters.dialects.anthropic.usage import Usage
from adapters.dialects.anthropic.web_search import Citation
from adapters.wire.call import WireCall
from adapters.wire.errors import unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.inference import InferenceRequest

R = TypeVar("R", bound=InferenceRequest)


class StopDetails(msgspec.Struct):
    """Why the model refused, in words."""

    explanation: str | None = None


class ContentBlock(msgspec.Struct):
    """A block, whole in an answer and as it begins in a stream."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = ABSENT
    citations: list[Citation] | None = None


class AnthropicMessage(msgspec.Struct):
    """An answer. `content` of None: this is no answer."""

    id: str | None = None
    model: str | None = None
    content: list[ContentBlock] | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None
    usage: Usage | None = None


class Delta(msgspec.Struct):
    """Of a block, by its type; or of the message, with why it ended."""

    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: Citation | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class StreamEvent(msgspec.Struct):
    type: str = ""
    index: int = 0
    message: AnthropicMessage | None = None
    content_block: ContentBlock | None = None
    delta: Delta | None = None
    usage: Usage | None = None
    error: Raw = ABSENT


_decode_event = msgspec.json.Decoder(StreamEvent).decode
read_message = msgspec.json.Decoder(AnthropicMessage).decode


def read_told(name: bytes, data: bytes, call: WireCall[R]) -> StreamEvent | None:
    """The event; None for a ping that says nothing. Raises `UpstreamFailure` for an error, and for what is no event."""
    try:
        event = _decode_event(data)
    except UNDECODABLE:
        if name == b"ping":
            return None
        if name != b"error":
            raise unreadable(data, call.secret, "an event of a message") from None
        raise failure_told(data, secret=call.secret, now=call.now()) from None
    if event.error != ABSENT:
        raise failure_told(data, secret=call.secret, now=call.now())
    return event
