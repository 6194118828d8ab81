"""Claude on Bedrock in Anthropic's own words: its Messages API inside InvokeModel, frames and refusals Amazon's.

Source: Amazon Bedrock user guide, "Anthropic Claude Messages API" (read 2026-11).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from typing_extensions import override

from adapters.dialects.anthropic.messages import AnthropicMessages, AnthropicTokenCount
from adapters.dialects.anthropic.params import FIRST_PARTY_FIELDS
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.bedrock.errors import failure_from_bedrock
from adapters.dialects.bedrock.frames import InvokeFrames
from adapters.dialects.bedrock.native_request import (
    CONTEXT_FIELD,
    count_answer,
    count_body,
    is_no_count,
    refuse_unknown,
)
from adapters.providers.dialect import StreamDecoder
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.errors import unreadable
from adapters.wire.rate_limits import RawHeaders
from adapters.wire.raw_json import UNDECODABLE
from adapters.wire.read_stream import ReadStream
from adapters.wire.replay import Replay
from domain.availability import RateLimitWindow
from domain.errors import UpstreamFailure
from domain.messages import MessagesRequest
from domain.ports.providers import Answering, ProviderAnswer, ProviderCall, TokenCountProvider
from domain.usage import TokenUsage

SETTINGS: Final = AnthropicSettings(
    body_version="bedrock-2023-05-31",
    model_in_body=False,
    stream_in_body=False,
    inline_media_only=True,
    betas_in_body=True,
)

Call = DialectCall[MessagesRequest]


class BedrockClaudeMessages:
    """The dialect: Anthropic's body and events; what only Anthropic's own servers know is left out or refused."""

    stream_types = frozenset({"application/vnd.amazon.eventstream"})

    def __init__(self, drop: Sequence[str] = ()) -> None:
        self._messages = AnthropicMessages(SETTINGS, (*drop, *FIRST_PARTY_FIELDS))

    def encode(self, call: Call, *, stream: bool) -> Encoded:
        refuse_unknown(call.payload.fields)
        return self._messages.encode(call, stream=stream)

    def read(self, body: bytes, call: Call, content_type: str) -> PlainAnswer:
        return self._messages.read(body, call, content_type)

    def decoder(self, call: Call, content_type: str) -> "InvokeStreamDecoder":
        return InvokeStreamDecoder(call, self._messages.decoder(call, content_type))

    def replay(self, answer: PlainAnswer, call: Call) -> Replay | None:
        return self._messages.replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: Call) -> UpstreamFailure:
        return failure_from_bedrock(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - Bedrock tells none
        return ()


class InvokeStreamDecoder(ReadStream[bytes]):
    """Frames unpacked for the decoder of what they hold. See `StreamDecoder` for the contract."""

    def __init__(self, call: Call, inner: StreamDecoder) -> None:
        super().__init__()
        self.content_type = inner.content_type
        self._call = call
        self._inner = inner
        self._frames = InvokeFrames(call.secret)

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def usage(self) -> TokenUsage | None:
        return self._inner.usage

    @property
    def has_content(self) -> bool:
        return self._inner.has_content

    @property
    def output_bytes(self) -> int:
        return self._inner.output_bytes

    @property
    def ending(self) -> bytes:
        return self._inner.ending

    def output_text(self) -> str:
        return self._inner.output_text()

    @override
    def _pieces(self, data: bytes) -> Iterator[bytes]:
        return self._frames.feed(data, self._call.now())

    @override
    def _read(self, piece: bytes) -> bytes:
        return self._seen(self._inner.feed(piece))

    @override
    def _conclude(self) -> bytes:
        return self._seen(self._inner.finish())

    def _seen(self, block: bytes) -> bytes:
        self.done, self.failure = self._inner.done, self._inner.failure
        return block


class BedrockClaudeCount:
    """The dialect of CountTokens, which takes a whole request to InvokeModel."""

    stream_types = BedrockClaudeMessages.stream_types

    def __init__(self, drop: Sequence[str] = ()) -> None:
        self._count = AnthropicTokenCount(SETTINGS, (*drop, *FIRST_PARTY_FIELDS, CONTEXT_FIELD))

    def encode(self, call: Call, *, stream: bool) -> Encoded:
        refuse_unknown(call.payload.fields)
        encoded = self._count.encode(call, stream=stream)
        return Encoded(count_body(encoded.body), encoded.dropped, headers=encoded.headers)

    def read(self, body: bytes, call: Call, content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        try:
            return PlainAnswer(count_answer(body), call.model, TokenUsage())
        except UNDECODABLE:
            raise unreadable(body, call.secret, "a count of tokens") from None

    def decoder(self, call: Call, content_type: str) -> StreamDecoder:
        return self._count.decoder(call, content_type)

    def replay(self, answer: PlainAnswer, call: Call) -> Replay | None:
        return self._count.replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: Call) -> UpstreamFailure:
        return failure_from_bedrock(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:  # noqa: ARG002 - Bedrock tells none
        return ()


class CountedOrEstimated(TokenCountProvider):
    """Asks, and estimates where a model or the account's policy has no counting."""

    def __init__(self, counts: Answering[MessagesRequest], estimate: Answering[MessagesRequest]) -> None:
        self._counts = counts
        self._estimate = estimate

    @override
    async def complete(self, call: ProviderCall[MessagesRequest]) -> ProviderAnswer:
        try:
            return await self._counts.complete(call)
        except UpstreamFailure as failure:
            if not is_no_count(failure):
                raise
        return await self._estimate.complete(call)
