"""Anthropic's Messages API as it is, for clients that speak it to an upstream that does."""

from collections.abc import Sequence

from adapters.dialects.anthropic.events import AnthropicMessage
from adapters.dialects.anthropic.history import ABSENT
from adapters.dialects.anthropic.native_body import NativeEncoder
from adapters.dialects.anthropic.native_dialect import NativeDialect
from adapters.dialects.anthropic.response import arguments_of, message_in
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.wire.answer import Encoded, PlainAnswer
from adapters.wire.call import WireCall
from domain.messages import MessagesRequest


class AnthropicMessages(NativeDialect):
    """One upstream's messages: request and answer keep their bytes, and are only watched."""

    def __init__(self, settings: AnthropicSettings, drop: Sequence[str] = ()) -> None:
        self._encoder = NativeEncoder(settings, frozenset(drop), frozenset())

    def encode(self, call: WireCall[MessagesRequest], *, stream: bool) -> Encoded:
        return self._encoder.encode(call, stream=stream)

    def read(self, body: bytes, call: WireCall[MessagesRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        message = message_in(body, call)
        usage = message.usage.tokens() if message.usage is not None else None
        return PlainAnswer(body, message.model or call.model, usage, _text(message) if usage is None else "")


def _text(message: AnthropicMessage) -> str:
    texts = (
        block.thinking or block.text or arguments_of(block) * (block.input != ABSENT) for block in message.content or ()
    )
    return "\n".join(text for text in texts if text)
