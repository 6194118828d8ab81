"""OpenAI's chat completions over Anthropic's Messages API."""

from collections.abc import Sequence

from adapters.dialects.anthropic import errors
from adapters.dialects.anthropic.answer import read_answer
from adapters.dialects.anthropic.request import ChatEncoder
from adapters.dialects.anthropic.settings import AnthropicSettings
from adapters.dialects.anthropic.stream import AnthropicStreamDecoder
from adapters.dialects.anthropic.tools import answers_by_tool
from adapters.dialects.anthropic.traits import traits_at
from adapters.wire.call import DialectCall, Encoded, PlainAnswer
from adapters.wire.rate_limits import RawHeaders, read_limits
from adapters.wire.replay import Replay, chat_replay
from domain.availability import RateLimitWindow
from domain.chat import ChatRequest
from domain.errors import UpstreamFailure


class AnthropicChat:
    """One upstream's chat. `drop` adds an operator's own to the parameters that are dropped."""

    stream_types = frozenset({"text/event-stream"})

    def __init__(self, settings: AnthropicSettings, drop: Sequence[str] = ()) -> None:
        self._settings = settings
        self._drop = frozenset(drop)
        self._encoder = ChatEncoder(settings, drop)

    def encode(self, call: DialectCall[ChatRequest], *, stream: bool) -> Encoded:
        return self._encoder.encode(call, stream=stream)

    def read(self, body: bytes, call: DialectCall[ChatRequest], content_type: str) -> PlainAnswer:  # noqa: ARG002 - JSON
        return read_answer(body, call, by_tool=self._by_tool(call))

    def decoder(self, call: DialectCall[ChatRequest], content_type: str) -> AnthropicStreamDecoder:  # noqa: ARG002 - SSE
        return AnthropicStreamDecoder(call, by_tool=self._by_tool(call))

    def replay(self, answer: PlainAnswer, call: DialectCall[ChatRequest]) -> Replay:
        return chat_replay(answer, call)

    def failure(self, status: int, headers: RawHeaders, body: bytes, call: DialectCall[ChatRequest]) -> UpstreamFailure:
        return errors.failure(status, headers, body, secret=call.secret, now=call.now())

    def limits(self, headers: RawHeaders, now: float) -> tuple[RateLimitWindow, ...]:
        return read_limits(headers, errors.LIMITS, now, by_model=True)

    def _by_tool(self, call: DialectCall[ChatRequest]) -> bool:
        """Whether the answer was asked for by a tool."""
        traits = traits_at(call.model, self._settings)
        return "response_format" not in self._drop and answers_by_tool(call.payload.value, traits)
