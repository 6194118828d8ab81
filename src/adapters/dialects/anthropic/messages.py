"""Anthropic's Messages API and its count of tokens as they are, for clients that speak it to an upstream that does.

Requests are passed on as they came, but for the model: what is refused was taken out before, by the row of constraints.
Top-level fields are raw JSON, so that cache marks, thoughts and what is not known here survive byte for byte; the
gateway's own fields and those that would choose a destination are left out (S-07). Answers keep their bytes, and are
only watched.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from adapters.dialects.anthropic import errors
from adapters.dialects.anthropic.answer import AnthropicMessage, arguments_of, message_in
from adapters.dialects.anthropic.conversation import ABSENT
from adapters.dialects.anthropic.native_answer import sound_message
from adapters.dialects.anthropic.native_stream import NativeStreamDecoder
from adapters.dialects.anthropic.replay import message_replay
from adapters.dialects.anthropic.settings import AnthropicSettings, body_fields, request_headers
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.raw_json import UNDECODABLE, TolerantDecoder
from adapters.wire.replay import Replay
from adapters.wire.sift import NEVER_FORWARDED, keep_strict, worth_a_report
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.inference import GATEWAY_FIELDS
from domain.messages import MessagesRequest
from domain.usage import TokenUsage

_NULL: Final = msgspec.Raw(b"null")

_encode = msgspec.json.Encoder().encode


class NativeEncoder:
    """Encodes for one upstream. `drop` are an operator's own parameters to leave out; `without` are never sent."""

    def __init__(self, settings: AnthropicSettings, drop: frozenset[str], without: frozenset[str]) -> None:
        self._settings = settings
        self._reported = drop | NEVER_FORWARDED
        self._skipped = GATEWAY_FIELDS | self._reported | without
        if not settings.model_in_body:
            self._skipped |= {"model"}

    def encode(self, call: DialectCall[MessagesRequest], *, stream: bool) -> Encoded:
        """The client's body. Raises `UNSUPPORTED` where a strict key would lose something."""
        fields, settings = call.payload.fields, self._settings
        body: dict[str, object] = {
            name: raw for name, raw in fields.items() if name not in self._skipped and raw != _NULL
        }
        if settings.model_in_body:
            body["model"] = call.model
        body.pop("stream", None)
        if stream and settings.stream_in_body:
            body["stream"] = True
        body |= body_fields(settings, call.client_headers)
        lost = [name for name in fields.keys() & self._reported if worth_a_report(name, fields[name])]
        return Encoded(
            _encode(body),
            keep_strict(lost, strict=call.strict),
            headers=request_headers(settings, call.client_headers),
        )


class NativeDialect:
    """The half of a `Dialect[MessagesRequest]` that does not depend on the endpoint.

    Errors keep the provider's words and type: Claude Code goes by them. Source: code.claude.com, gateways
    (read 2026-11).
    """

    stream_types = frozenset({"text/event-stream"})

    def decoder(self, call: DialectCall[MessagesRequest], content_type: str) -> NativeStreamDecoder:  # noqa: ARG002 - SSE
        return NativeStreamDecoder(call)

    def replay(self, answer: PlainAnswer, call: DialectCall[MessagesRequest]) -> Replay | None:  # noqa: ARG002 - a `Dialect`
        return message_replay(answer)

    def failure(
        self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[MessagesRequest]
    ) -> UpstreamFailure:
        return errors.failure(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return read_limits(headers, errors.LIMITS, now, by_model=True)


class AnthropicMessages(NativeDialect):
    """One upstream's messages: request and answer keep their bytes, and are only watched."""

    def __init__(self, settings: AnthropicSettings, drop: Sequence[str] = ()) -> None:
        self._encoder = NativeEncoder(settings, frozenset(drop), frozenset())

    def encode(self, call: DialectCall[MessagesRequest], *, stream: bool) -> Encoded:
        return self._encoder.encode(call, stream=stream)

    def read(self, body: bytes, call: DialectCall[MessagesRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        message = message_in(body, call)
        usage = message.tokens()
        text = _text(message) if usage is None else ""
        return PlainAnswer(sound_message(body, call), message.model or call.model, usage, text)


def _text(message: AnthropicMessage) -> str:
    texts = (
        block.thinking or block.text or arguments_of(block) * (block.input != ABSENT) for block in message.content or ()
    )
    return "\n".join(text for text in texts if text)


_GENERATING = frozenset(
    {"max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k", "metadata", "service_tier"}
)
"""What only matters where something is generated: refused where tokens are only counted."""


class _Count(msgspec.Struct):
    input_tokens: int


_decode = TolerantDecoder(_Count)


class AnthropicTokenCount(NativeDialect):
    """`{"input_tokens": n}`. A count is no use of the model: its own usage is nothing."""

    def __init__(self, settings: AnthropicSettings, drop: Sequence[str] = ()) -> None:
        self._encoder = NativeEncoder(settings, frozenset(drop), _GENERATING)

    def encode(self, call: DialectCall[MessagesRequest], *, stream: bool) -> Encoded:  # noqa: ARG002 - counts come whole
        return self._encoder.encode(call, stream=False)

    def read(self, body: bytes, call: DialectCall[MessagesRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            _decode(body)
        except UNDECODABLE:
            if b'"error"' in body:
                raise errors.reported_failure(body, secret=call.secret, now=call.now()) from None
            raise unreadable(body, call.secret, "a count of tokens") from None
        return PlainAnswer(body, call.model, TokenUsage())
