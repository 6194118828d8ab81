"""Anthropic's own count of a message's input tokens."""

from collections.abc import Sequence

import msgspec

from adapters.dialects.anthropic import errors
from adapters.dialects.anthropic.native_body import NativeEncoder
from adapters.dialects.anthropic.native_dialect import NativeDialect
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from adapters.wire.errors import unreadable
from adapters.wire.undecodable import UNDECODABLE
from domain.messages import MessagesRequest
from domain.usage import TokenUsage

_GENERATING = frozenset(
    {"max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k", "metadata", "service_tier"}
)
"""What only matters where something is generated: refused where tokens are only counted."""


class _Count(msgspec.Struct):
    input_tokens: int


_decode = msgspec.json.Decoder(_Count).decode


class AnthropicTokenCount(NativeDialect):
    """`{"input_tokens": n}`. A count is no use of the model: its own usage is nothing."""

    def __init__(self, settings: AnthropicSettings, drop: Sequence[str] = ()) -> None:
        self._encoder = NativeEncoder(settings, frozenset(drop), _GENERATING)

    def encode(self, call: WireCall[MessagesRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - counts come whole
        return self._encoder.encode(call, stream=False)

    def read(self, body: bytes, call: WireCall[MessagesRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            _decode(body)
        except UNDECODABLE:
            if b'"error"' in body:
                raise errors.failure_told(body, secret=call.secret, now=call.now()) from None
            raise unreadable(body, call.secret, "a count of tokens") from None
        return PlainAnswer(body, call.model, TokenUsage())
